//! TLS 1.3 in memory: national suites beside rustls with classic ones, in one run. Nothing is sent; what
//! both sides compute is counted together.
//!
//! The rival is ring, which the workspace has anyway. With `RUSTFLAGS="--cfg gmkit_yardstick"` it is
//! aws-lc-rs, the fastest that rustls has.

#![allow(missing_docs, reason = "criterion's macros define public functions")]

use std::{
    io::{Read, Write},
    process::Command,
    sync::Arc,
};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use gmkit::{
    keys::{PrivateKey, SoftwareKey},
    pki::{Anchor, Certificate, Issuer, Profile, Purpose, Verifier, san, subject},
    tls::{Client, Clients, Server},
};
#[cfg(gmkit_yardstick)]
use rustls::crypto::aws_lc_rs as rival;
#[cfg(not(gmkit_yardstick))]
use rustls::crypto::ring as rival;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, pem::PemObject},
    server::WebPkiClientVerifier,
};

const RIVAL: &str = if cfg!(gmkit_yardstick) { "aws-lc-rs" } else { "ring" };

/// A client and a server that agree.
type Configs = (Arc<ClientConfig>, Arc<ServerConfig>);

struct National {
    root: Issuer,
}

impl National {
    fn new() -> Self {
        let key = Arc::new(SoftwareKey::generate().unwrap());
        let params = Profile::Ca.params(subject("CN=Root").unwrap(), 30).unwrap();
        Self { root: Issuer::self_signed(params, key).unwrap() }
    }

    fn party(&self, profile: Profile) -> (Vec<Certificate>, Arc<SoftwareKey>) {
        let key = Arc::new(SoftwareKey::generate().unwrap());
        let mut params = profile.params(subject("CN=localhost").unwrap(), 20).unwrap();
        params.subject_alt_names = san("DNS:localhost").unwrap();
        (vec![self.root.issue(params, key.public_key()).unwrap()], key)
    }

    fn configs(&self, mutual: bool, resumed: bool, hybrid: bool) -> Configs {
        let anchor = Anchor::new(self.root.certificate().clone());
        let trust = Verifier::new(vec![anchor.clone()], Purpose::TlsServer);
        let (chain, key) = self.party(Profile::TlsServer);
        let mut server = Server::new(chain, key).unwrap();
        let mut client = Client::new(trust.clone());
        if mutual {
            let (chain, key) = self.party(Profile::TlsClient);
            client = client.with_identity(chain, key).unwrap();
            server = server.with_clients(trust, &[anchor], Clients::Required);
        }
        if !resumed {
            (client, server) = (client.without_resumption(), server.with_tickets(false));
        }
        if hybrid {
            (client, server) = (client.with_hybrid(), server.with_hybrid());
        }
        (client.config().unwrap(), server.config().unwrap())
    }
}

/// P-256 and its certificates, made by OpenSSL: an authority, and one for both sides.
fn classic(mutual: bool, resumed: bool) -> Configs {
    let dir = tempfile::tempdir().unwrap();
    let openssl = |line: &str| {
        let done =
            Command::new("openssl").args(line.split(' ')).current_dir(&dir).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -subj /CN=Root -out ca.pem"));
    openssl(&format!(
        "req -x509 -CA ca.pem -CAkey ca.key {key} -keyout key -subj /CN=localhost -out pem \
         -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE"
    ));
    let chain = || vec![CertificateDer::from_pem_file(dir.path().join("pem")).unwrap()];
    let key = || -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from_pem_file(dir.path().join("key")).unwrap().into()
    };
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(dir.path().join("ca.pem")).unwrap()).unwrap();
    let roots = Arc::new(roots);
    let mut provider = rival::default_provider();
    // One group and one suite, so that both worlds compute as much.
    provider.kx_groups.retain(|group| group.name() == rustls::NamedGroup::secp256r1);
    let suite = rustls::CipherSuite::TLS13_AES_128_GCM_SHA256;
    provider.cipher_suites.retain(|one| one.suite() == suite);
    let provider = Arc::new(provider);
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(Arc::clone(&roots));
    let mut client = match mutual {
        true => client.with_client_auth_cert(chain(), key()).unwrap(),
        false => client.with_no_client_auth(),
    };
    let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap();
    let server = match mutual {
        true => server.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(roots, provider).build().unwrap(),
        ),
        false => server.with_no_client_auth(),
    };
    let mut server = server.with_single_cert(chain(), key()).unwrap();
    match resumed {
        true => server.ticketer = rival::Ticketer::new().unwrap(),
        false => {
            server.send_tls13_tickets = 0;
            client.resumption = rustls::client::Resumption::disabled();
        }
    }
    (Arc::new(client), Arc::new(server))
}

struct Pair {
    client: ClientConnection,
    server: ServerConnection,
    wire: Vec<u8>,
}

impl Pair {
    fn new((client, server): &Configs) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        let mut pair = Self {
            client: ClientConnection::new(Arc::clone(client), name).unwrap(),
            server: ServerConnection::new(Arc::clone(server)).unwrap(),
            wire: Vec::with_capacity(1 << 17),
        };
        while pair.up() | pair.down() {}
        assert!(!pair.client.is_handshaking() && !pair.server.is_handshaking());
        pair
    }

    /// What the client has to say; whether it had anything.
    fn up(&mut self) -> bool {
        self.wire.clear();
        while self.client.wants_write() {
            self.client.write_tls(&mut self.wire).unwrap();
        }
        let mut rest = &self.wire[..];
        while !rest.is_empty() {
            self.server.read_tls(&mut rest).unwrap();
            self.server.process_new_packets().unwrap();
        }
        !self.wire.is_empty()
    }

    fn down(&mut self) -> bool {
        self.wire.clear();
        while self.server.wants_write() {
            self.server.write_tls(&mut self.wire).unwrap();
        }
        let mut rest = &self.wire[..];
        while !rest.is_empty() {
            self.client.read_tls(&mut rest).unwrap();
            self.client.process_new_packets().unwrap();
        }
        !self.wire.is_empty()
    }

    fn send(&mut self, data: &[u8], came: &mut [u8]) {
        self.client.writer().write_all(data).unwrap();
        self.up();
        self.server.reader().read_exact(came).unwrap();
    }
}

fn handshakes(c: &mut Criterion) {
    let national = National::new();
    for (what, mutual, resumed) in
        [("full", false, false), ("mutual", true, false), ("resumed", false, true)]
    {
        let mut group = c.benchmark_group(format!("TLS 1.3 handshake, {what}"));
        let mut measure = |name: &str, configs: &Configs| {
            // A ticket, where there are any.
            drop(Pair::new(configs));
            group.bench_function(name, |b| b.iter(|| Pair::new(configs)));
        };
        measure("gmkit", &national.configs(mutual, resumed, false));
        if what == "full" {
            measure("gmkit, curveSM2MLKEM768", &national.configs(false, false, true));
        }
        measure(&format!("rustls with {RIVAL}, P-256"), &classic(mutual, resumed));
    }
}

fn bulk(c: &mut Criterion) {
    const LEN: usize = 16 * 1024;
    let (data, mut came) = (vec![7; LEN], vec![0; LEN]);
    let mut group = c.benchmark_group("TLS 1.3 data, 16 KiB records, there and read");
    group.throughput(Throughput::Bytes(LEN as u64));
    let national = National::new().configs(false, false, false);
    let classic = classic(false, false);
    let rival = format!("rustls with {RIVAL}, AES-128-GCM");
    for (name, configs) in [("gmkit, SM4-GCM", &national), (&*rival, &classic)] {
        let mut pair = Pair::new(configs);
        group.bench_function(name, |b| {
            b.iter_batched(|| (), |()| pair.send(&data, &mut came), BatchSize::SmallInput);
        });
    }
}

criterion_group!(benches, handshakes, bulk);
criterion_main!(benches);
