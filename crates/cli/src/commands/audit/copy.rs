//! The copy of a log that is typed.

use std::path::{Path, PathBuf};

use gmkit::{
    audit::{
        Kafka, KafkaOptions, Nats, NatsOptions, Otlp, OtlpOptions, ReadBack, Sink, Syslog,
        SyslogOptions,
    },
    pki::{Anchor, Purpose, Verifier},
    tls::Client,
};

use crate::{
    args::{AuditCopy, AuditCursor},
    certificates::certificates,
    failure::{Context, Failure},
    keys::{existing_password, open_private},
};

/// Where records are brought to.
pub(super) fn sink(
    args: &AuditCopy,
    cursor: &AuditCursor,
    origin: &str,
) -> Result<Box<dyn Sink>, Failure> {
    let url = args.copy.as_deref().ok_or_else(|| Failure::input("where to? --copy URL"))?;
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    if !matches!(scheme, "syslog" | "otlp+http" | "otlp+https") {
        return match cursor.cursor {
            Some(_) => Err(Failure::input("--cursor is for syslog:// and otlp+https://")),
            None => Ok(kept(args, origin)?),
        };
    }
    refuse(&[("--user", args.user.is_some())])?;
    let file = cursor.cursor.as_ref();
    let file = file
        .ok_or_else(|| Failure::input("such a server cannot be asked what it has: --cursor F"))?;
    match scheme.strip_prefix("otlp+") {
        None => at_syslog(args, cursor, SyslogOptions::new(rest, origin, file)),
        Some(http) => {
            refuse(&[("--plain-end", cursor.plain_end)])?;
            let options = OtlpOptions::new(&format!("{http}://{rest}"), origin, file);
            at_collector(args, cursor, options)
        }
    }
}

/// What gives back what it keeps; `None` where nothing is typed.
pub(super) fn read_back(
    args: &AuditCopy,
    origin: &str,
) -> Result<Option<Box<dyn ReadBack>>, Failure> {
    args.copy.is_some().then(|| kept(args, origin)).transpose()
}

fn kept(args: &AuditCopy, origin: &str) -> Result<Box<dyn ReadBack>, Failure> {
    let url = args.copy.as_deref().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let (servers, name) = rest.split_once('/').unwrap_or((rest, ""));
    match scheme {
        "nats" | "tls" => {
            refuse(&[("--cert", args.cert.is_some())])?;
            let stream = if name.is_empty() { "AUDIT" } else { name };
            let options = NatsOptions::new(&format!("{scheme}://{servers}"), stream, origin);
            in_nats(args, options)
        }
        "kafka" | "kafka+tls" => {
            refuse(&[("--user", args.user.is_some())])?;
            let topic = if name.is_empty() { "audit" } else { name };
            in_kafka(args, KafkaOptions::new(servers, topic, origin), scheme == "kafka+tls")
        }
        "syslog" | "otlp+http" | "otlp+https" => {
            Err(Failure::input("a syslog server or collector gives nothing back"))
        }
        // It may have a password in it, and is not printed.
        _ => Err(Failure::input(
            "--copy is none of nats://, tls://, kafka://, kafka+tls://, syslog://, otlp+https://",
        )),
    }
}

fn in_nats(args: &AuditCopy, mut options: NatsOptions) -> Result<Box<dyn ReadBack>, Failure> {
    if let (Some(user), Some(file)) = (&args.user, &args.password_file) {
        let password = existing_password(Some(file), file)?;
        let password = str::from_utf8(password.as_bytes());
        let password = password.map_err(|_| Failure::input("a password is not UTF-8"));
        options = options.with_user(user, password.about(file)?);
    }
    if let Some(ca) = &args.ca {
        options = options.with_ca(ca);
    }
    Ok(Box::new(Nats::new(options)?))
}

fn in_kafka(
    args: &AuditCopy,
    mut options: KafkaOptions,
    tls: bool,
) -> Result<Box<dyn ReadBack>, Failure> {
    if tls {
        options = options.with_tls();
    }
    if let Some(ca) = &args.ca {
        options = options.with_ca(ca);
    }
    if let Some((chain, key)) = identity(args)? {
        options = options.with_identity(chain, key);
    }
    Ok(Box::new(Kafka::new(options)?))
}

fn at_syslog(
    args: &AuditCopy,
    cursor: &AuditCursor,
    mut options: SyslogOptions,
) -> Result<Box<dyn Sink>, Failure> {
    if cursor.plain_end {
        options = options.with_plain_end();
    }
    if cursor.national {
        options = options.with_tls(national(args, cursor)?.config()?);
        return Ok(Box::new(Syslog::new(&options)?));
    }
    if let Some(ca) = &args.ca {
        options = options.with_ca(ca);
    }
    if let Some((chain, key)) = identity(args)? {
        options = options.with_identity(chain, key);
    }
    Ok(Box::new(Syslog::new(&options)?))
}

fn at_collector(
    args: &AuditCopy,
    cursor: &AuditCursor,
    mut options: OtlpOptions,
) -> Result<Box<dyn Sink>, Failure> {
    if cursor.national {
        options = options.with_tls(national(args, cursor)?.config()?);
        return Ok(Box::new(Otlp::new(&options)?));
    }
    if let Some(ca) = &args.ca {
        options = options.with_ca(ca);
    }
    if let Some((chain, key)) = identity(args)? {
        options = options.with_identity(chain, key);
    }
    Ok(Box::new(Otlp::new(&options)?))
}

/// The files of a classic certificate and its key.
fn identity(args: &AuditCopy) -> Result<Option<(&PathBuf, &str)>, Failure> {
    let (Some(chain), Some(key)) = (&args.cert, &args.cert_key) else { return Ok(None) };
    match key.contains(':') && !Path::new(key).exists() {
        // What was meant as a key URI may have a PIN in it, and names of files are printed.
        true => Err(Failure::input("a key URI as --cert-key is for --national")),
        false => Ok(Some((chain, key))),
    }
}

fn national(args: &AuditCopy, cursor: &AuditCursor) -> Result<Client, Failure> {
    let mut anchors = Vec::new();
    if let Some(ca) = &args.ca {
        anchors.extend(certificates(ca)?.into_iter().map(Anchor::new));
    }
    let client = Client::new(Verifier::new(anchors, Purpose::TlsServer)).without_resumption();
    match (&args.cert, &args.cert_key) {
        (Some(chain), Some(key)) => {
            let key = open_private(key, cursor.passphrase_file.as_deref())?;
            Ok(client.with_identity(certificates(chain)?, key)?)
        }
        _ => Ok(client),
    }
}

/// Options that this kind of server does not take.
fn refuse(options: &[(&str, bool)]) -> Result<(), Failure> {
    match options.iter().find(|(_, typed)| *typed) {
        Some((name, _)) => Err(Failure::input(format!("{name} is not for this kind of server"))),
        None => Ok(()),
    }
}
