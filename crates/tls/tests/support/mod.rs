//! An authority with everything it issues, and connections in memory.

#![allow(dead_code, reason = "each test program uses some of it")]

use std::{
    io::{Read, Write},
    path::Path,
    sync::{Arc, LazyLock},
    time::Duration,
};

use gmkit_keys::{Error, PrivateKey, SigningContext, SoftwareKey};
use gmkit_pki::ocsp::{CertId, Hash, Request, Responder};
use gmkit_pki::rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams,
};
use gmkit_pki::{
    Anchor, Certificate, Database, Issuer, Profile, Purpose, Reason, Verifier, san, subject,
};
use gmkit_sm2::{Ciphertext, Id, PublicKey, Signature};
use gmkit_tls::{Client, Clients, NationalSigningKey, Server};
use rustls::{
    ClientConfig, ClientConnection, ServerConfig, ServerConnection,
    pki_types::CertificateDer,
    sign::{CertifiedKey, SigningKey, SingleCertAndKey},
};
use time::OffsetDateTime;
use zeroize::Zeroizing;

pub(crate) struct Authority {
    pub(crate) root: Issuer,
    sub: Issuer,
    sub_key: Arc<SoftwareKey>,
}

/// A chain and its key.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) chain: Vec<Certificate>,
    pub(crate) key: Arc<SoftwareKey>,
}

/// One for all tests of a program.
pub(crate) static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::new("TLS"));

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let named = |what: &str| subject(&format!("CN={name} {what},C=CN")).unwrap();
        let key = Arc::new(SoftwareKey::generate().unwrap());
        let params = Profile::Ca.params(named("Root"), 40).unwrap();
        let root = Issuer::self_signed(params, key).unwrap();
        let sub_key = Arc::new(SoftwareKey::generate().unwrap());
        let params = Profile::Ca.params(named("Sub"), 30).unwrap();
        let certificate = root.issue(params, sub_key.public_key()).unwrap();
        let sub = Issuer::new(certificate, sub_key.clone()).unwrap();
        Self { root, sub, sub_key }
    }

    pub(crate) fn party(&self, profile: Profile, name: &str) -> Party {
        self.party_for(profile, name, 20)
    }

    pub(crate) fn party_for(&self, profile: Profile, name: &str, days: u32) -> Party {
        let key = Arc::new(SoftwareKey::generate().unwrap());
        let mut params =
            profile.params(subject(&format!("CN={name},C=CN")).unwrap(), days).unwrap();
        params.subject_alt_names = san(&format!("DNS:{name}")).unwrap();
        let leaf = self.sub.issue(params, key.public_key()).unwrap();
        Party { chain: vec![leaf, self.sub.certificate().clone()], key }
    }

    /// A server's party, and OCSP's answers about it: good, and then revoked.
    pub(crate) fn party_with_ocsp(&self) -> (Party, [Vec<u8>; 2]) {
        let dir = tempfile::tempdir().unwrap();
        let sub = self.sub.certificate();
        let mut database = Database::of(&dir.path().join("db"), sub).unwrap();
        let key = Arc::new(SoftwareKey::generate().unwrap());
        let mut params =
            Profile::TlsServer.params(subject("CN=localhost,C=CN").unwrap(), 20).unwrap();
        params.subject_alt_names = san("DNS:localhost").unwrap();
        let leaf = database.issue(&self.sub, params, key.public_key()).unwrap();
        let responder = Responder::new(sub.clone(), sub.clone(), self.sub_key.clone()).unwrap();
        let id = CertId::new(Hash::Sm3, sub, leaf.serial());
        let request = Request::make(vec![id], false).unwrap();
        let answer = |database: &Database| {
            responder.respond(&request, database.state(), 1).unwrap().as_der().to_vec()
        };
        let good = answer(&database);
        database.revoke(leaf.serial(), Reason::KeyCompromise).unwrap();
        let revoked = answer(&database);
        (Party { chain: vec![leaf, sub.clone()], key }, [good, revoked])
    }

    pub(crate) fn anchor(&self) -> Anchor {
        Anchor::new(self.root.certificate().clone())
    }

    pub(crate) fn trust(&self) -> Verifier {
        Verifier::new(vec![self.anchor()], Purpose::TlsServer)
    }
}

/// A key that takes its time, or does not sign at all.
#[derive(Debug)]
pub(crate) struct Slow {
    pub(crate) key: Arc<SoftwareKey>,
    pub(crate) wait: Duration,
    pub(crate) signs: bool,
}

impl PrivateKey for Slow {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn start_signing(&self, id: Id<'_>) -> Result<Box<dyn SigningContext + '_>, Error> {
        self.key.start_signing(id)
    }

    fn sign(&self, id: Id<'_>, message: &[u8]) -> Result<Signature, Error> {
        std::thread::sleep(self.wait);
        match self.signs {
            true => self.key.sign(id, message),
            false => Err(Error::Unsupported { operation: "sign" }),
        }
    }

    fn decrypt(&self, ciphertext: &Ciphertext) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.key.decrypt(ciphertext)
    }
}

pub(crate) fn slow_server(wait: Duration, signs: bool) -> Arc<ServerConfig> {
    let Party { chain, key } = AUTHORITY.party(Profile::TlsServer, "localhost");
    Server::new(chain, Arc::new(Slow { key, wait, signs })).unwrap().config().unwrap()
}

/// A list in which the party's certificate is revoked.
pub(crate) fn crl(party: &Party) -> gmkit_pki::Crl {
    let entry = RevokedCertParams {
        serial_number: party.chain[0].serial().as_bytes().to_vec().into(),
        revocation_time: OffsetDateTime::now_utc(),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    };
    let params = CertificateRevocationListParams {
        this_update: OffsetDateTime::now_utc() - Duration::from_secs(60),
        next_update: OffsetDateTime::now_utc() + Duration::from_secs(3600),
        crl_number: 1.into(),
        issuing_distribution_point: None,
        revoked_certs: vec![entry],
        key_identifier_method: KeyIdMethod::PreSpecified(Vec::new()),
    };
    AUTHORITY.sub.crl(params).unwrap()
}

impl Party {
    /// The chain with any key at all, and a stapled answer.
    pub(crate) fn certified(&self, key: Arc<dyn SigningKey>, ocsp: Option<&[u8]>) -> CertifiedKey {
        let der = |one: &Certificate| CertificateDer::from(one.as_der().to_vec());
        let mut certified = CertifiedKey::new(self.chain.iter().map(der).collect(), key);
        certified.ocsp = ocsp.map(<[u8]>::to_vec);
        certified
    }

    /// A server that shows what it is given, whether or not that fits.
    pub(crate) fn careless(
        &self,
        key: Arc<dyn SigningKey>,
        ocsp: Option<&[u8]>,
    ) -> Arc<ServerConfig> {
        let resolver = SingleCertAndKey::from(self.certified(key, ocsp));
        Server::with_resolver(Arc::new(resolver)).config().unwrap()
    }

    pub(crate) fn signing_key(&self) -> Arc<dyn SigningKey> {
        Arc::new(NationalSigningKey::new(self.key.clone()))
    }

    pub(crate) fn server(&self) -> Server {
        Server::new(self.chain.clone(), self.key.clone()).unwrap()
    }

    /// Writes `NAME.pem` (the chain) and `NAME.key`.
    pub(crate) fn write(&self, dir: &Path, name: &str) {
        let chain: String = self.chain.iter().map(Certificate::to_pem).collect();
        std::fs::write(dir.join(format!("{name}.pem")), chain).unwrap();
        std::fs::write(dir.join(format!("{name}.key")), self.key.to_pem().as_bytes()).unwrap();
    }
}

pub(crate) fn server() -> Arc<ServerConfig> {
    AUTHORITY.party(Profile::TlsServer, "localhost").server().config().unwrap()
}

pub(crate) fn mutual_server(clients: Clients) -> Arc<ServerConfig> {
    let server = AUTHORITY.party(Profile::TlsServer, "localhost").server();
    server.with_clients(AUTHORITY.trust(), &[AUTHORITY.anchor()], clients).config().unwrap()
}

pub(crate) fn client() -> Client {
    Client::new(AUTHORITY.trust())
}

/// Both ends of a connection, in memory.
pub(crate) struct Pair {
    pub(crate) client: ClientConnection,
    pub(crate) server: ServerConnection,
}

impl Pair {
    pub(crate) fn new(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Self {
        let name = "localhost".try_into().unwrap();
        Self {
            client: ClientConnection::new(Arc::clone(client), name).unwrap(),
            server: ServerConnection::new(Arc::clone(server)).unwrap(),
        }
    }

    /// Until nobody has anything to say, or somebody fails. `change` may change what goes over: the
    /// bytes, whether they come from the client, and how many bytes that side has sent before.
    pub(crate) fn run(
        &mut self,
        mut change: impl FnMut(&mut Vec<u8>, bool, usize),
    ) -> Result<(), rustls::Error> {
        let mut sent = [0, 0];
        loop {
            let mut moved = false;
            let mut bytes = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut bytes).unwrap();
            }
            if !bytes.is_empty() {
                moved = true;
                let before = sent[0];
                sent[0] += bytes.len();
                change(&mut bytes, true, before);
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    self.server.read_tls(&mut rest).unwrap();
                    self.server.process_new_packets()?;
                }
            }
            let mut bytes = Vec::new();
            while self.server.wants_write() {
                self.server.write_tls(&mut bytes).unwrap();
            }
            if !bytes.is_empty() {
                moved = true;
                let before = sent[1];
                sent[1] += bytes.len();
                change(&mut bytes, false, before);
                let mut rest = &bytes[..];
                while !rest.is_empty() {
                    self.client.read_tls(&mut rest).unwrap();
                    self.client.process_new_packets()?;
                }
            }
            if !moved {
                return Ok(());
            }
        }
    }

    pub(crate) fn shake(&mut self) -> Result<(), rustls::Error> {
        self.run(|_, _, _| {})
    }

    pub(crate) fn is_up(&self) -> bool {
        !self.client.is_handshaking() && !self.server.is_handshaking()
    }

    /// A message there and back.
    pub(crate) fn talk(&mut self) {
        self.client.writer().write_all(b"ping").unwrap();
        self.shake().unwrap();
        let mut said = [0; 4];
        self.server.reader().read_exact(&mut said).unwrap();
        assert_eq!(&said, b"ping");
        self.server.writer().write_all(b"pong").unwrap();
        self.shake().unwrap();
        self.client.reader().read_exact(&mut said).unwrap();
        assert_eq!(&said, b"pong");
    }
}
