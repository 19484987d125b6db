#!/usr/bin/env bash
# Makes the certificates of the mail servers in tests: an authority, and a server's for each of two names, valid from
# 2020 to 2120. Needs openssl 3. The authority's key is not kept.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
cd "$work"
touch index
cat > config <<END
[ca]
default_ca = default
[default]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:\${ENV::SERVER}
END
# certify NAME SECTION [HOW]: a key and a certificate for it, by the authority unless told otherwise.
certify() {
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$1.key" -out request
  SERVER=$1 openssl ca -batch -notext -config config -extensions "$2" -startdate 20200101000000Z -enddate 21200101000000Z \
    "${@:3}" -in request -out "$1.pem"
}
certify authority authority -selfsign -keyfile authority.key
for name in localhost elsewhere.example; do
  certify "$name" server -cert authority.pem -keyfile authority.key
  cp "$name.key" "$name.pem" "$here"
done
cp authority.pem "$here"
rm -r "$work"
