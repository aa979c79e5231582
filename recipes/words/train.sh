#!/bin/sh
# Trains two seeds of words-small on one GPU (one after the other) or two, and measures both.
# $1: folder of the parts that pack.py wrote; $2: folder for the models; $3: seconds in all (520 fits ten minutes).
set -eu
export PYTHONPATH=src PYTHONUNBUFFERED=1
export OMP_NUM_THREADS=1  # thousands of small copies: with 32 threads they take minutes
data="$2/data"
mkdir -p "$data"
find "$1" -name '*.zip' | while read -r file; do python3 -m zipfile -e "$file" "$data"; done
gpus=$(nvidia-smi -L | wc -l)
train() {
  python3 recipes/words/train.py --data "$data" --seed "$1" --out "$2/words-small-$1" --seconds "$3" --workers 8 \
    > "$2/train-$1.log" 2>&1 || tail "$2/train-$1.log"
}
if [ "$gpus" -gt 1 ]; then
  (export CUDA_VISIBLE_DEVICES=0; train 0 "$2" $(($3 - 60))) & first=$!
  (export CUDA_VISIBLE_DEVICES=1; train 1 "$2" $(($3 - 60))) & second=$!
  wait $first; wait $second
else
  for seed in 0 1; do train $seed "$2" $((($3 - 60) / 2 - 25)); done
fi
tail -n 3 "$2"/train-*.log
python3 recipes/words/evaluate.py --data "$data" --models "$2"/words-small-0 "$2"/words-small-1
