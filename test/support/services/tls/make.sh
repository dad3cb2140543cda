#!/bin/sh
# Makes the certificates of the tests anew, valid for 100 years. They secure nothing.
set -eu
cd "$(dirname "$0")"
days=36500
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
authority() {
  key "$1"
  openssl req -x509 -new -key "$1.key" -days $days -subj "/CN=Linkmill test $1" -out "$1.crt"
}
# sign NAME CN EXTENSIONS
sign() {
  key "$1"
  openssl req -new -key "$1.key" -subj "/CN=$2" |
    openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days $days -extfile "$3" -out "$1.crt"
}
authority ca
authority other-ca
extensions=$(mktemp)
echo 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1' >"$extensions"
sign server localhost "$extensions"
echo 'subjectAltName=DNS:db.example' >"$extensions"
sign elsewhere db.example "$extensions"
echo 'extendedKeyUsage=clientAuth' >"$extensions"
sign client linkmill "$extensions"
rm -f "$extensions" ca.srl ca.key other-ca.key
