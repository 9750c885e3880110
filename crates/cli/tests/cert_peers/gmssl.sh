#!/bin/sh
# The same as openssl.sh, with GmSSL 3.1.1: P="gmssl" gmssl.sh DIR. It has no OCSP.
# No key identifiers: it writes the issuer's where the subject's belongs, and others then find no issuer.
set -e
mkdir "$1"
cd "$1"
ca="-key_usage keyCertSign -key_usage cRLSign -ca"
leaf="-key_usage digitalSignature -ext_key_usage serverAuth -subject_dns_name localhost"
for name in root sub leaf gone; do $P sm2keygen -pass secret -out $name.key -pubout $name.pub; done
$P certgen -C CN -O t -CN root -days 3000 -key root.key -pass secret -out root.crt $ca
$P reqgen -C CN -O t -CN sub -key sub.key -pass secret -out sub.csr
$P reqsign -in sub.csr -days 300 -path_len_constraint 0 $ca -cacert root.crt -key root.key -pass secret -out sub.crt
for name in leaf gone; do
    $P reqgen -C CN -O t -CN $name -key $name.key -pass secret -out $name.csr
    $P reqsign -in $name.csr -days 200 $leaf -cacert sub.crt -key sub.key -pass secret -out $name.crt
done
$P certrevoke -in gone.crt -reason superseded -out revoked.der
next=$(date -u -d '+7 days' +%Y%m%d%H%M%SZ)
$P crlgen -in revoked.der -cacert sub.crt -key sub.key -pass secret -next_update "$next" -crl_num 1 -out sub.crl.der
(echo "-----BEGIN X509 CRL-----"; base64 -w 64 sub.crl.der; echo "-----END X509 CRL-----") > sub.crl
