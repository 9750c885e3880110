//! What `gmkit verify` says of a CMS message.

use gmkit::pki::{
    Chain,
    cms::{Dialect, Form, Refusal, Report, SignedMessage, Signer, Trusted},
    rfc3339,
};

use crate::{
    args::Verify,
    failure::Failure,
    output::{complain, print},
};

/// Says who signed, when, and why that is believed; fails if a signature is not good.
pub(crate) fn report(
    args: &Verify,
    message: &SignedMessage,
    checked: &Report,
) -> Result<(), Failure> {
    let file = args.file.as_ref().unwrap_or(&args.signature).display();
    let text = match args.json.json {
        true => json(args, message, checked).to_string(),
        false => words(args, message, checked),
    };
    // Standard output is the content's where that was asked for.
    match args.output.as_ref().is_some_and(|path| path.as_os_str() == "-") {
        true => text.lines().for_each(|line| complain(&line)),
        false => print(&text)?,
    }
    match checked.is_good() {
        true => Ok(()),
        false => Err(Failure::check(format!("{file}: {}", reason(checked)))),
    }
}

fn reason(checked: &Report) -> String {
    let refusals = || checked.signers.iter().filter_map(|signer| signer.verdict.as_ref().err());
    let worse = refusals().find(|refusal| **refusal != Refusal::NotAsked);
    match worse.or_else(|| refusals().next()) {
        Some(refusal) => refusal.to_string(),
        None => "nobody has signed it".to_owned(),
    }
}

fn words(args: &Verify, message: &SignedMessage, checked: &Report) -> String {
    let file = args.file.as_ref().unwrap_or(&args.signature).display();
    let verdict = if checked.is_good() { "good signature" } else { "NOT verified" };
    let mut lines = vec![format!("{file}: {verdict}")];
    checked.signers.iter().for_each(|signer| lines.extend(about_signer(args, signer)));
    if checked.is_good() {
        let list = not_covered(message, checked).join("; ");
        lines.push(format!("  not covered by what was signed: {list}"));
    }
    lines.join("\n")
}

fn about_signer(args: &Verify, signer: &Signer) -> Vec<String> {
    let trusted = match &signer.verdict {
        Ok(trusted) => trusted,
        Err(refusal) => return vec![format!("  {}: {refusal}", name(signer))],
    };
    let name = match &args.public {
        Some(_) => "the holder of the key".to_owned(),
        None => name(signer),
    };
    let mut lines = vec![
        format!("  signed by {name}, {}", how(signer.form)),
        format!("  trusted because {}", trust(args, trusted)),
        match signer.claimed_time {
            Some(time) => format!("  on {}, as the signer says", rfc3339(time)),
            None => "  the signer does not say when".to_owned(),
        },
    ];
    lines.extend(signer.time_stamps.iter().map(|stamp| match stamp {
        Ok(stamp) => {
            let by = stamp.chain.certificates[0].subject();
            let revoked = match stamp.chain.revocation_checked {
                true => "",
                false => "; whether that certificate was revoked was not looked at (--tsa-crl)",
            };
            format!("  signed before {}, as {by} has stamped it{revoked}", rfc3339(stamp.time))
        }
        Err(Refusal::NoTimeAuthority) => {
            "  there is a time stamp, which was not looked at (--tsa-ca)".to_owned()
        }
        Err(refusal) => format!("  a time stamp does not count: {refusal}"),
    }));
    lines
}

fn name(signer: &Signer) -> String {
    match &signer.certificate {
        Some(certificate) => certificate.subject().to_string(),
        None => signer.id.to_string(),
    }
}

const fn how(form: Form) -> &'static str {
    match form {
        Form::Attributes => {
            "who has signed the content's hash, its type, the time and the certificate"
        }
        Form::Content => "who has signed the content alone",
        Form::BareContent | Form::BareFramed => {
            "by a signature over the content that does not name the key (--allow-bare)"
        }
        _ => "in a form that has no name",
    }
}

fn trust(args: &Verify, trusted: &Trusted) -> String {
    let shown = |path: &Option<std::path::PathBuf>| {
        path.as_ref().map(|path| path.display().to_string()).unwrap_or_default()
    };
    match trusted {
        Trusted::Chain(chain) => {
            let revoked = match chain.revocation_checked {
                true => "no revocation list names the signer",
                false => "whether a certificate was revoked was not looked at (--crl)",
            };
            format!(
                "{} ({}) vouches for it: {}; {revoked}",
                chain.anchor().subject(),
                shown(&args.ca),
                path(chain)
            )
        }
        _ if args.public.is_some() => format!("you gave this key ({})", shown(&args.public)),
        _ => format!(
            "you gave this certificate ({}), and nobody vouched for it (--ca)",
            shown(&args.certificate)
        ),
    }
}

/// From the signer up.
fn path(chain: &Chain) -> String {
    let names = chain.certificates.iter().map(|certificate| certificate.subject().to_string());
    names.collect::<Vec<_>>().join(" <- ")
}

/// What may be changed without anybody noticing.
fn not_covered(message: &SignedMessage, checked: &Report) -> Vec<String> {
    let mut list = vec!["the file's name".to_owned()];
    let several = |n: usize, what: &str| match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    };
    if !message.certificates().is_empty() {
        list.push(several(message.certificates().len(), "certificate") + " in the message");
    }
    if message.crl_count() > 0 {
        list.push(several(message.crl_count(), "revocation list") + " in the message");
    }
    let unsigned = checked.signers.iter().map(|signer| signer.unsigned_attributes).sum();
    if unsigned > 0 {
        list.push(several(unsigned, "unsigned attribute"));
    }
    if checked.signers.iter().any(|signer| signer.form != Form::Attributes) {
        list.push("who else has signed, when, and with which certificate".to_owned());
    }
    list
}

fn json(args: &Verify, message: &SignedMessage, checked: &Report) -> serde_json::Value {
    serde_json::json!({
        "file": args.file.as_ref().unwrap_or(&args.signature).to_string_lossy(),
        "verified": checked.is_good(),
        "dialect": match message.dialect() {
            Dialect::Rfc5652 => "rfc5652",
            Dialect::Gmt0010 => "gmt0010",
        },
        "attached": message.is_attached(),
        "signers": checked.signers.iter().map(signer_json).collect::<Vec<_>>(),
        "not_covered": not_covered(message, checked),
    })
}

fn signer_json(signer: &Signer) -> serde_json::Value {
    let chain = match &signer.verdict {
        Ok(Trusted::Chain(chain)) => Some(chain),
        _ => None,
    };
    let names = chain.map(|chain| {
        chain.certificates.iter().map(|c| c.subject().to_string()).collect::<Vec<_>>()
    });
    let stamps = signer.time_stamps.iter().map(|stamp| match stamp {
        Ok(stamp) => serde_json::json!({
            "time": rfc3339(stamp.time),
            "by": stamp.chain.certificates[0].subject().to_string(),
        }),
        Err(refusal) => serde_json::json!({ "refused": refusal.to_string() }),
    });
    serde_json::json!({
        "verified": signer.verdict.is_ok(),
        "refused": signer.verdict.as_ref().err().map(ToString::to_string),
        "signer": signer.certificate.as_ref().map(|certificate| certificate.subject().to_string()),
        "id": signer.id.to_string(),
        "covers": match signer.form {
            Form::Attributes => "attributes",
            Form::Content => "content",
            Form::BareContent => "bare-content",
            Form::BareFramed => "bare-framed",
            _ => "unknown",
        },
        "claimed_time": signer.claimed_time.map(rfc3339),
        "time_stamps": stamps.collect::<Vec<_>>(),
        "chain": names,
        "revocation_checked": chain.is_some_and(|chain| chain.revocation_checked),
    })
}
