#!/bin/sh
# One part of the training of scenes-256 on all GPUs that there are; parts follow one another on the same machine.
#   sh recipes/scenes/train.sh vae 400 [options]      the VAE, for so many seconds
#   sh recipes/scenes/train.sh unet 540 [options]     UNet and text encoder; with --resume it goes on
#   sh recipes/scenes/train.sh measure [options]      figures, card, sheets
#   sh recipes/scenes/train.sh sheet [options]        a sheet of samples
#   sh recipes/scenes/train.sh bundle FOLDER          the pipeline in pieces of 15 MiB: cat scenes-256.tar.* | tar x
# Sprites and, where diffusers is missing, wheels (whl/) lie in $DATA, what is made in $RUNS.
set -eu
: "${DATA:=.carry/scenes}" "${RUNS:=runs/scenes}"
export PYTHONPATH="src:/tmp/scenes-site" PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
mkdir -p "$RUNS"
if [ -d "$DATA/whl" ] && ! python3 -c 'import diffusers' 2>/dev/null; then
  python3 -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target /tmp/scenes-site "$DATA"/whl/*.whl
fi
gpus=$(python3 -c 'import torch; print(max(1, torch.cuda.device_count()))')
part=$1; shift
case $part in
  vae|unet)
    seconds=$1; shift
    script=train.py; [ "$part" = unet ] || script=train_vae.py
    python3 -m torch.distributed.run --standalone --nproc-per-node "$gpus" "recipes/scenes/$script" \
      --data "$DATA" --out "$RUNS" --seconds "$seconds" "$@" > "$RUNS/$part.log" 2>&1 || { tail -n 40 "$RUNS/$part.log"; exit 1; }
    tail -n 3 "$RUNS/$part.log" ;;
  measure)
    python3 recipes/scenes/evaluate.py --data "$DATA" --model "$RUNS/scenes-256" "$@" 2> "$RUNS/measure.log" \
      || { tail -n 40 "$RUNS/measure.log"; exit 1; } ;;
  sheet)
    python3 recipes/scenes/sample.py --model "$RUNS/scenes-256" "$@" 2> "$RUNS/sheet.log" || { tail -n 40 "$RUNS/sheet.log"; exit 1; } ;;
  bundle)
    tar cf - -C "$RUNS" scenes-256 | split -b 15m - "$1/scenes-256.tar." ;;
esac
