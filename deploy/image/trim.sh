#!/bin/sh
# Removes from ./node_modules what no process loads, and the symbols of native modules, which are nine tenths of
# ChromaDB's. Called while the image is built.
# usage: trim.sh [slim]   slim: without the embedded ChromaDB and the runtime of embedding models
set -eu
cd node_modules
find . -name '*.node' -size +1M -exec strip --strip-unneeded {} +

# TypeScript and the canvas are optional peers that nothing loads. Of PDF.js, the servers read data files only.
rm -rf typescript @napi-rs/canvas*
rm -rf pdfjs-dist/build pdfjs-dist/legacy pdfjs-dist/web pdfjs-dist/types pdfjs-dist/image_decoders
rm -rf gpt-tokenizer/cjs gpt-tokenizer/src
# One of eight builds of Tesseract is loaded.
find tesseract.js-core -name 'tesseract-core*' ! -name tesseract-core-simd-lstm.js ! -name tesseract-core-simd-lstm.wasm -delete
find . \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete

case "$(uname -m)" in
x86_64) arch=x64 ;;
aarch64) arch=arm64 ;;
esac
for dir in onnxruntime-node/bin/napi-*/*/*; do
  case "$dir" in
  */linux/"$arch") ;;
  *) rm -rf "$dir" ;;
  esac
done

if [ "${1:-}" = slim ]; then
  rm -rf chromadb-js-bindings-* onnxruntime-node onnxruntime-common
fi
