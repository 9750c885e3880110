//! `gmkit cert issue`.

use std::path::Path;

use gmkit::{
    keys::{EnvelopedKey, PrivateKey, SoftwareKey},
    pki::{
        Certificate, Database, Issuer, Profile, Request, answer_ocsp_at, now, publish_crl_at,
        rcgen::CertificateParams,
    },
    sm2::PublicKey,
};

use super::authority::{authority, limited};
use crate::{
    args::{CertIssue, CertProfile},
    failure::{Context, Failure},
    input::Input,
    output::{Access, Content, Output, print, same_file, spare_private_key},
};

/// Room for any request, in bytes.
const MAX_REQUEST: usize = 1 << 20;

/// Life of a certificate unless said otherwise, in days.
const DAYS: i64 = 365;

pub(super) fn run(args: &CertIssue) -> Result<(), Failure> {
    let files = [&args.output, &args.enc_out, &args.enc_key_out].map(|path| path.as_deref());
    check_files(args, files)?;
    let request = request(&args.csr)?;
    let twin = args.enc_csr.as_deref().map(self::request).transpose()?;
    check_pair(args, &request, twin.as_ref())?;
    let issuer = authority(&args.authority)?;
    let params = params(args, &request, issuer.certificate())?;
    // All files are there before anything is issued.
    let text = |path| Output::create(path, Content::Text, Access::Public);
    let pair = twin.is_some() || args.gen_enc;
    let (output, enc_output) = (text(files[0])?, pair.then(|| text(files[1])).transpose()?);
    let mut register = Register::open(args.db.as_deref(), issuer)?;
    let certificate = register.issue(params.clone(), &request, request.public_key())?;
    if let Some(enc_output) = enc_output {
        let params = Profile::encryption_twin(&params);
        let made = match twin {
            Some(twin) => register.issue(params, &twin, twin.public_key())?,
            None => generated(args, &mut register, params, &request)?,
        };
        write(enc_output, &made)?;
    }
    write(output, &certificate)?;
    if files[0].is_some_and(|path| path.as_os_str() != "-") {
        let names: Vec<_> =
            certificate.extensions().subject_alt_names.iter().map(ToString::to_string).collect();
        print(&format!("{}: issued to {}", certificate.serial(), certificate.subject()))?;
        print(&format!(
            "  names: {}",
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        ))?;
    }
    Ok(())
}

/// No output takes the place of the key in use, or of another output.
fn check_files(args: &CertIssue, files: [Option<&Path>; 3]) -> Result<(), Failure> {
    for (i, file) in files.iter().enumerate() {
        spare_private_key(*file, &args.authority.key)?;
        for other in &files[..i] {
            if file.zip(*other).is_some_and(|(file, other)| same_file(file, other)) {
                return Err(Failure::input("two of the outputs are one file"));
            }
        }
    }
    Ok(())
}

/// A pair has one subject and two keys, and is for end entities.
fn check_pair(args: &CertIssue, request: &Request, twin: Option<&Request>) -> Result<(), Failure> {
    let pairs = [CertProfile::TlsServer, CertProfile::TlsClient, CertProfile::Sign];
    if (args.gen_enc || twin.is_some()) && !pairs.contains(&args.profile) {
        return Err(Failure::input("a pair is for --profile tls-server, tls-client or sign"));
    }
    match twin {
        Some(twin) if twin.subject() != request.subject() => {
            Err(Failure::input("the two requests of a pair have one subject"))
        }
        Some(twin) if twin.public_key() == request.public_key() => {
            Err(Failure::input("the two requests of a pair have two keys"))
        }
        _ => Ok(()),
    }
}

/// The encryption certificate for a key that is made here and leaves in an envelope only.
fn generated(
    args: &CertIssue,
    register: &mut Register,
    params: CertificateParams,
    request: &Request,
) -> Result<Certificate, Failure> {
    let mut output = Output::create(args.enc_key_out.as_deref(), Content::Binary, Access::Public)?;
    let key = SoftwareKey::generate()?;
    output.write(&EnvelopedKey::seal(&key, request.public_key())?.to_der()?)?;
    let made = register.issue(params, request, key.public_key())?;
    output.commit()?;
    Ok(made)
}

fn write(mut output: Output, certificate: &Certificate) -> Result<(), Failure> {
    output.write(certificate.to_pem().as_bytes())?;
    output.commit()
}

fn request(path: &Path) -> Result<Request, Failure> {
    Request::from_file_bytes(&Input::open(path)?.read_all(MAX_REQUEST)?).about(path)
}

fn params(
    args: &CertIssue,
    request: &Request,
    authority: &Certificate,
) -> Result<CertificateParams, Failure> {
    let days = match args.days {
        Some(days) => days,
        None => match u32::try_from(authority.validity().days_left(now()).min(DAYS)) {
            Ok(days) if days > 0 => days,
            _ => {
                return Err(Failure::input(
                    "the authority's certificate is over, or has not a day left",
                ));
            }
        },
    };
    let mut params = Profile::from(args.profile).params_for(request, days)?;
    if args.profile == CertProfile::TlsServer && params.subject_alt_names.is_empty() {
        return Err(Failure::input(
            "a server's certificate needs a name: the request has none (--san)",
        ));
    }
    limited(&mut params, &args.limits)?;
    if let Some(url) = &args.crl_url {
        publish_crl_at(&mut params, url)?;
    }
    if let Some(url) = &args.ocsp_url {
        answer_ocsp_at(&mut params, url)?;
    }
    Ok(params)
}

/// Where what is issued is kept, if anywhere.
struct Register {
    issuer: Issuer,
    database: Option<Database>,
}

impl Register {
    fn open(dir: Option<&Path>, issuer: Issuer) -> Result<Self, Failure> {
        let database = dir.map(|dir| Database::of(dir, issuer.certificate())).transpose()?;
        Ok(Self { issuer, database })
    }

    /// With the name of a request.
    fn issue(
        &mut self,
        params: CertificateParams,
        request: &Request,
        key: &PublicKey,
    ) -> Result<Certificate, Failure> {
        Ok(match &mut self.database {
            Some(database) => database.issue_named(&self.issuer, params, request.subject(), key)?,
            None => self.issuer.issue_named(params, request.subject(), key)?,
        })
    }
}
