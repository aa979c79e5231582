#!/bin/sh
# Fetches the pictures of the things into the folder $1, by npm (Fluent 3D emoji, MIT, 60 MB).
set -eu
mkdir -p "$1" && cd "$1"
npm pack --silent @lobehub/fluent-emoji-3d@1.1.0
mkdir -p lobehub-fluent-emoji-3d-1.1.0
tar xzf lobehub-fluent-emoji-3d-1.1.0.tgz -C lobehub-fluent-emoji-3d-1.1.0
