#!/bin/sh
# Makes, in a folder, what an authority makes, with an OpenSSL:
#   P="openssl" SIG="-sigopt distid:..." openssl.sh DIR
# OCSP=no leaves the response out.
set -e
mkdir "$1"
cd "$1"
cat > cnf <<'CNF'
[req]
distinguished_name=dn
prompt=no
[dn]
CN=unused
[root]
basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
[sub]
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[leaf]
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:localhost,IP:127.0.0.1
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[ca]
default_ca=d
[d]
database=index.txt
crlnumber=crlnumber
default_md=sm3
default_crl_days=30
crl_extensions=crl
[crl]
authorityKeyIdentifier=keyid
CNF
export OPENSSL_CONF="$PWD/cnf"

key() { $P genpkey -algorithm EC -pkeyopt group:SM2 -out "$1.key"; }
signed() { # name, subject, issuer, section
    key "$1"
    $P req -new -config cnf -key "$1.key" -sm3 $SIG -subj "$2" -out "$1.csr"
    $P x509 -req -in "$1.csr" -sm3 $SIG $VFY -CA "$3.crt" -CAkey "$3.key" -extfile cnf -extensions "$4" -days 300 -out "$1.crt"
}
serial() { $P x509 -in "$1.crt" -noout -serial | sed 's/.*=//'; }

key root
$P req -x509 -new -config cnf -extensions root -key root.key -sm3 $SIG -subj "/C=CN/O=t/CN=root" -days 3000 -out root.crt
signed sub "/C=CN/O=t/CN=sub" root sub
signed leaf "/C=CN/O=t/CN=localhost" sub leaf
signed gone "/C=CN/O=t/CN=gone" sub leaf

printf 'V\t291121000000Z\t\t%s\tunknown\t/CN=leaf\nR\t291121000000Z\t261101000000Z,superseded\t%s\tunknown\t/CN=gone\n' \
    "$(serial leaf)" "$(serial gone)" > index.txt
echo 01 > crlnumber
$P ca -config cnf -gencrl -cert sub.crt -keyfile sub.key $SIG -out sub.crl
$P crl -in sub.crl -outform DER -out sub.crl.der
[ "$OCSP" = no ] && exit
for name in leaf gone; do
    $P ocsp -issuer sub.crt -cert $name.crt -no_nonce -reqout $name.req
    $P ocsp -index index.txt -CA sub.crt -rsigner sub.crt -rkey sub.key -rmd sm3 -reqin $name.req -respout $name.resp -ndays 7
done
