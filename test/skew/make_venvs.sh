#!/bin/sh
# Makes the Python environments of `npm run skew:pipelines` in a folder, and prints its options: test/skew/make_venvs.sh DIR
#
# The versions of Pillow are those between which its arithmetic changed. Everything takes about 6 GB.
set -eu
folder=${1:?a folder for the environments}

make() {
  name=$1
  shift
  [ -x "$folder/$name/bin/python" ] || python3 -m venv "$folder/$name"
  "$folder/$name/bin/pip" install -q --disable-pip-version-check "$@"
  printf ' --python %s' "$folder/$name/bin/python"
}

make models -r "$(dirname "$0")/../parity/requirements-models.txt" opencv-python-headless scikit-image lazy_loader
make libraries albumentations==2.0.8 imageio==2.37.4 scikit-image==0.26.0 scikit-learn==1.9.1 opencv-python-headless==4.12.0.88 pillow==12.1.1
make tensorflow tensorflow-cpu==2.21.0 pillow==13.0.0
make pillow9 pillow==9.5.0 'numpy<2'
make pillow11 pillow==11.3.0 numpy
make pillow12.1 pillow==12.1.1 numpy
make pillow12.3 pillow==12.3.0 numpy
printf '\n'
