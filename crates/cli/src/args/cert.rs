//! What can be typed after `gmkit cert`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use gmkit::pki;

use super::{IdArg, Json, PrivateKeyArgs};

#[derive(Subcommand)]
pub(crate) enum Cert {
    /// Make the certificate of a root authority
    #[command(
        after_help = "Example:\n  gmkit cert ca -k ca.key --subject \"CN=Test CA,O=Example,C=CN\" -o ca.pem"
    )]
    Ca(CertCa),
    /// Make a certification request
    #[command(
        after_help = "Example:\n  gmkit cert csr -k a.key --subject CN=a --san DNS:a.example,IP:127.0.0.1 -o a.csr"
    )]
    Csr(CertCsr),
    /// Issue a certificate for a request, or the pair of a national deployment
    #[command(
        after_help = "Example:\n  gmkit cert issue --ca ca.pem -k ca.key --db ca.db --csr a.csr -o a.pem\n  \
                      gmkit cert issue --ca ca.pem -k ca.key --csr a.csr -o sign.pem \\\n    \
                      --gen-enc --enc-out enc.pem --enc-key-out enc.env"
    )]
    Issue(CertIssue),
    /// Show certificates, requests and revocation lists as people read them
    #[command(after_help = "Example:\n  gmkit cert show chain.pem")]
    Show(CertShow),
    /// Check a certificate and its chain
    #[command(
        after_help = "Example:\n  gmkit cert verify --ca ca.pem --crl ca.crl --name a.example a.pem"
    )]
    Verify(CertVerify),
    /// Revoke a certificate
    #[command(
        after_help = "Example:\n  gmkit cert revoke --db ca.db --serial 4f.. --reason key-compromise"
    )]
    Revoke(CertRevoke),
    /// Make a revocation list
    #[command(after_help = "Example:\n  gmkit cert crl --ca ca.pem -k ca.key --db ca.db -o ca.crl")]
    Crl(CertCrl),
    /// Issue a certificate again, for as long as before
    #[command(
        after_help = "Example:\n  gmkit cert renew --ca ca.pem -k ca.key --db ca.db a.pem -o new.pem"
    )]
    Renew(CertRenew),
    /// List what was issued
    #[command(after_help = "Example:\n  gmkit cert list --db ca.db")]
    List(CertList),
    /// Ask, answer and check whether a certificate is revoked, by OCSP
    #[command(
        subcommand,
        after_help = "Example:\n  gmkit cert ocsp request --ca ca.pem -o a.req a.pem\n  \
                      gmkit cert ocsp respond --ca ca.pem -k ca.key --db ca.db -o a.resp a.req\n  \
                      gmkit cert ocsp verify --ca ca.pem --request a.req --cert a.pem a.resp"
    )]
    Ocsp(CertOcsp),
}

/// What an authority may have besides a name.
#[derive(Args)]
pub(crate) struct Limits {
    /// How many authorities may follow in a chain
    #[arg(long, value_name = "N")]
    pub(crate) path_len: Option<u8>,
    /// Names that it may certify: DNS:example.com,IP:10.0.0.0/8
    #[arg(long, value_name = "NAMES")]
    pub(crate) permit: Option<String>,
    /// Names that it may not certify
    #[arg(long, value_name = "NAMES")]
    pub(crate) exclude: Option<String>,
}

#[derive(Args)]
pub(crate) struct CertCa {
    #[command(flatten)]
    pub(crate) key: PrivateKeyArgs,
    /// Name of the authority: CN=Test CA,O=Example,C=CN
    #[arg(long, value_name = "S")]
    pub(crate) subject: String,
    /// Life of the certificate in days
    #[arg(long, default_value_t = 3650)]
    pub(crate) days: u32,
    #[command(flatten)]
    pub(crate) limits: Limits,
    /// File for the certificate; else standard output
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct CertCsr {
    #[command(flatten)]
    pub(crate) key: PrivateKeyArgs,
    /// Name of the subject: CN=a.example,O=Example,C=CN
    #[arg(long, value_name = "S")]
    pub(crate) subject: String,
    /// Alternative names: DNS:a.example,IP:127.0.0.1,email:a@b.example,URI:https://a.example/
    #[arg(long, value_name = "NAMES")]
    pub(crate) san: Option<String>,
    /// File for the request; else standard output
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

/// The authority that issues: its certificate and key.
#[derive(Args)]
pub(crate) struct AuthorityArgs {
    /// Certificate of the authority
    #[arg(long, value_name = "CA")]
    pub(crate) ca: PathBuf,
    #[command(flatten)]
    pub(crate) key: PrivateKeyArgs,
    /// The ID that the authority signs under
    #[command(flatten)]
    pub(crate) id: IdArg,
}

#[derive(Args)]
pub(crate) struct CertIssue {
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
    /// The request, - for standard input
    #[arg(long, value_name = "CSR")]
    pub(crate) csr: PathBuf,
    /// What the certificate is for
    #[arg(long, value_enum, default_value = "tls-server")]
    pub(crate) profile: CertProfile,
    /// Life of the certificate in days [default: 365, but not beyond the authority's]
    #[arg(long)]
    pub(crate) days: Option<u32>,
    /// Folder that keeps what was issued; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) db: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) limits: Limits,
    /// Where the revocation list is published
    #[arg(long, value_name = "URL")]
    pub(crate) crl_url: Option<String>,
    /// Where OCSP is spoken
    #[arg(long, value_name = "URL")]
    pub(crate) ocsp_url: Option<String>,
    /// A second request with the same subject, for the encryption certificate of the pair
    #[arg(long, value_name = "CSR", group = "pair", requires = "enc_out")]
    pub(crate) enc_csr: Option<PathBuf>,
    /// Make the encryption key of the pair here
    #[arg(long, group = "pair", requires = "enc_out", requires = "enc_key_out")]
    pub(crate) gen_enc: bool,
    /// File for the encryption certificate
    #[arg(long, value_name = "F", requires = "pair")]
    pub(crate) enc_out: Option<PathBuf>,
    /// File for the encryption key, enveloped to the request's key (`gmkit envelope open`)
    #[arg(long, value_name = "F", requires = "gen_enc")]
    pub(crate) enc_key_out: Option<PathBuf>,
    /// File for the certificate; else standard output
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CertProfile {
    /// A server of TLS and TLCP
    TlsServer,
    /// A client of TLS and TLCP
    TlsClient,
    /// Signs documents
    Sign,
    /// Is encrypted to
    Encrypt,
    /// Answers by OCSP
    Ocsp,
    /// Signs certificates
    Ca,
}

impl From<CertProfile> for pki::Profile {
    fn from(profile: CertProfile) -> Self {
        match profile {
            CertProfile::TlsServer => Self::TlsServer,
            CertProfile::TlsClient => Self::TlsClient,
            CertProfile::Sign => Self::Sign,
            CertProfile::Encrypt => Self::Encrypt,
            CertProfile::Ocsp => Self::Ocsp,
            CertProfile::Ca => Self::Ca,
        }
    }
}

#[derive(Args)]
pub(crate) struct CertShow {
    /// File with certificates, a request, or revocation lists; - for standard input
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct CertVerify {
    /// Certificates that are trusted
    #[arg(long, value_name = "CA")]
    pub(crate) ca: PathBuf,
    /// Certificates that may stand between; those in FILE after the first one do too
    #[arg(long, value_name = "FILE")]
    pub(crate) untrusted: Option<PathBuf>,
    /// Revocation list; may be given several times
    #[arg(long, value_name = "F")]
    pub(crate) crl: Vec<PathBuf>,
    /// Ask for a revocation list for each certificate of the chain, not for the first one only
    #[arg(long)]
    pub(crate) crl_all: bool,
    /// OCSP response; may be given several times
    #[arg(long, value_name = "F")]
    pub(crate) ocsp: Vec<PathBuf>,
    /// Host name or address that the certificate must be for
    #[arg(long, value_name = "HOST")]
    pub(crate) name: Option<String>,
    /// What the certificate is to be used for [default: any; with --name tls-server]
    #[arg(long, value_enum)]
    pub(crate) purpose: Option<CertPurpose>,
    /// The time to check for, as 2026-11-22T08:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    #[command(flatten)]
    pub(crate) id: IdArg,
    /// The certificate, - for standard input
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CertPurpose {
    /// Nothing in particular: only who it is
    Any,
    /// A server of TLS
    TlsServer,
    /// A client of TLS
    TlsClient,
    /// Signing documents
    Sign,
    /// Being encrypted to
    Encrypt,
    /// Answering by OCSP
    Ocsp,
}

impl From<CertPurpose> for pki::Purpose {
    fn from(purpose: CertPurpose) -> Self {
        match purpose {
            CertPurpose::Any => Self::Any,
            CertPurpose::TlsServer => Self::TlsServer,
            CertPurpose::TlsClient => Self::TlsClient,
            CertPurpose::Sign => Self::Sign,
            CertPurpose::Encrypt => Self::Encrypt,
            CertPurpose::Ocsp => Self::OcspSigning,
        }
    }
}

#[derive(Args)]
pub(crate) struct CertRevoke {
    /// Folder that keeps what was issued
    #[arg(long, value_name = "DIR")]
    pub(crate) db: PathBuf,
    /// Serial number in hexadecimal
    #[arg(long, value_name = "HEX")]
    pub(crate) serial: String,
    /// Why
    #[arg(long, value_enum, default_value = "unspecified")]
    pub(crate) reason: CertReason,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CertReason {
    /// No reason is given
    Unspecified,
    /// The private key is, or may be, known to others
    #[value(alias = "keyCompromise")]
    KeyCompromise,
    /// The same of an authority's
    #[value(alias = "cACompromise")]
    CaCompromise,
    /// Names in the certificate are not true any more
    #[value(alias = "affiliationChanged")]
    AffiliationChanged,
    /// There is another certificate in its place
    Superseded,
    /// It is not needed any more
    #[value(alias = "cessationOfOperation")]
    CessationOfOperation,
    /// It must not be used for now
    #[value(alias = "certificateHold")]
    CertificateHold,
    /// What it permitted is not permitted any more
    #[value(alias = "privilegeWithdrawn")]
    PrivilegeWithdrawn,
}

impl From<CertReason> for pki::Reason {
    fn from(reason: CertReason) -> Self {
        match reason {
            CertReason::Unspecified => Self::Unspecified,
            CertReason::KeyCompromise => Self::KeyCompromise,
            CertReason::CaCompromise => Self::CaCompromise,
            CertReason::AffiliationChanged => Self::AffiliationChanged,
            CertReason::Superseded => Self::Superseded,
            CertReason::CessationOfOperation => Self::CessationOfOperation,
            CertReason::CertificateHold => Self::CertificateHold,
            CertReason::PrivilegeWithdrawn => Self::PrivilegeWithdrawn,
        }
    }
}

#[derive(Args)]
pub(crate) struct CertCrl {
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
    /// Folder that keeps what was issued
    #[arg(long, value_name = "DIR")]
    pub(crate) db: PathBuf,
    /// For how many days it may be used
    #[arg(long, default_value_t = 7)]
    pub(crate) days: u32,
    /// File for the list, in DER if its name ends in .der; else standard output
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct CertRenew {
    #[command(flatten)]
    pub(crate) authority: AuthorityArgs,
    /// Folder that keeps what was issued
    #[arg(long, value_name = "DIR")]
    pub(crate) db: PathBuf,
    /// File for the new certificate; else standard output
    #[arg(short, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    /// The certificate
    pub(crate) file: PathBuf,
}

#[derive(Args)]
pub(crate) struct CertList {
    /// Folder that keeps what was issued
    #[arg(long, value_name = "DIR")]
    pub(crate) db: PathBuf,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Subcommand)]
pub(crate) enum CertOcsp {
    /// Ask about a certificate
    Request {
        /// Certificate of the authority that has issued it
        #[arg(long, value_name = "CA")]
        ca: PathBuf,
        /// How the authority is named in the request
        #[arg(long, value_enum, default_value = "sm3")]
        hash: OcspHash,
        /// Ask without a nonce, for a responder that answers in advance
        #[arg(long)]
        no_nonce: bool,
        /// File for the request; else standard output
        #[arg(short, value_name = "OUT")]
        output: Option<PathBuf>,
        /// The certificate
        file: PathBuf,
    },
    /// Answer a request by what was issued and revoked
    Respond {
        /// Certificate of the authority
        #[arg(long, value_name = "CA")]
        ca: PathBuf,
        /// Certificate of whoever answers, issued with --profile ocsp [default: the authority's]
        #[arg(short, value_name = "CERT")]
        certificate: Option<PathBuf>,
        /// Private key that belongs to it
        #[command(flatten)]
        key: PrivateKeyArgs,
        /// Folder that keeps what was issued
        #[arg(long, value_name = "DIR")]
        db: PathBuf,
        /// For how many days the answer may be used
        #[arg(long, default_value_t = 1)]
        days: u32,
        /// File for the response; else standard output
        #[arg(short, value_name = "OUT")]
        output: Option<PathBuf>,
        /// The request, - for standard input
        file: PathBuf,
    },
    /// Check an answer
    Verify {
        /// Certificate of the authority
        #[arg(long, value_name = "CA")]
        ca: PathBuf,
        /// The request: the nonce must be the same
        #[arg(long, value_name = "F")]
        request: Option<PathBuf>,
        /// The certificate that was asked about
        #[arg(long, value_name = "CERT")]
        cert: PathBuf,
        #[command(flatten)]
        json: Json,
        /// The response, - for standard input
        file: PathBuf,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OcspHash {
    /// What national software has
    Sm3,
    /// SHA-256
    Sha256,
    /// What every responder knows
    Sha1,
}

impl From<OcspHash> for pki::ocsp::Hash {
    fn from(hash: OcspHash) -> Self {
        match hash {
            OcspHash::Sm3 => Self::Sm3,
            OcspHash::Sha256 => Self::Sha256,
            OcspHash::Sha1 => Self::Sha1,
        }
    }
}
