//! The operations under valgrind, with their secrets undefined.

use std::{fs, path::Path, process::Command};

use roxmltree::{Document, Node};

use crate::{operations, trace::Result};

/// A branch that depends on a secret and may: what it decides is public. Each is one line of the
/// source, and no other branch of the same function is excused with it.
struct Declassified {
    file: &'static str,
    line: &'static str,
    why: &'static str,
}

const VERDICT: &str = "whether it is accepted is the answer";
const LENGTH: &str = "the length of the plaintext is a part of the answer";
const RANGE: &str = "whether a number is a private key or a nonce; of those refused none is used";
const INFINITY: &str = "never, for the scalars that there are";
const CHARACTERS: &str = "how many bytes a character has in UTF-8, as the documentation says";

const DECLASSIFIED: &[Declassified] = &[
    // Tags, MACs, padding, key wrap.
    declassified("sm4/src/gcm.rs", "if tags_equal(&want, tag)", VERDICT),
    declassified("sm4/src/gcm.rs", "bool::from(want[..tag.len()].ct_eq(tag))", VERDICT),
    declassified("sm4/src/ccm.rs", "if bool::from(want.as_bytes().ct_eq(tag))", VERDICT),
    declassified("sm4/src/gcm_siv.rs", "self.0.decrypt_inout_detached(", VERDICT),
    declassified("sm4/src/cbc.rs", "if bool::from(good)", VERDICT),
    declassified("sm4/src/cbc.rs", "unpadded_len(&last).inspect(", LENGTH),
    declassified("sm4/src/wrap.rs", "= kw.unwrap_key(wrapped, out)", VERDICT),
    declassified("sm4/src/wrap.rs", "match kwp.unwrap_key(wrapped, out)", LENGTH),
    declassified("sm4/src/wrap.rs", "Ok(len) => Ok(&out[..len])", LENGTH),
    declassified("sm4/src/xts.rs", "if bool::from(k1.ct_eq(k2))", VERDICT),
    declassified("ffi/src/hmac_sm3.rs", "mac.verify(expected.into())", VERDICT),
    declassified("ffi/src/sm4_mac.rs", "mac.verify(expected.into())", VERDICT),
    declassified("ffi/src/sm4_mac.rs", "the MAC does not fit", VERDICT),
    declassified("ffi/src/sm4_ccm.rs", "key.open(nonce, aad, &mut data, tag.get()?)?", VERDICT),
    declassified("ffi/src/fault.rs", "let code = match error {", VERDICT),
    declassified("ffi/src/fault.rs", "let mut message = error.to_string();", VERDICT),
    declassified("sm4/src/error.rs", "f.write_str(match self {", VERDICT),
    // The ways of a length that has become public.
    declassified("ffi/src/sm4_cbc.rs", "out.write(&last[..written])", LENGTH),
    declassified("ffi/src/pointer.rs", "if bytes.is_empty() {", LENGTH),
    declassified("ffi/src/pointer.rs", "self.0.copy_from(bytes.as_ptr(), bytes.len())", LENGTH),
    declassified("ffi/src/pointer.rs", "assert!(bytes.len() <= self.room", LENGTH),
    // FF1 on texts.
    declassified("sm4/src/ff1.rs", "if text.chars().count() > MAX_LEN", CHARACTERS),
    declassified("sm4/src/ff1/alphabet.rs", "for c in text.chars()", CHARACTERS),
    declassified("sm4/src/ff1/alphabet.rs", "text.extend(char::from_u32(c))", CHARACTERS),
    declassified("sm4/src/ff1/alphabet.rs", "if all_known {", VERDICT),
    declassified("sm4/src/ff1/alphabet.rs", "all_known &= bool::from(known)", VERDICT),
    declassified("sm4/src/ff1/numerals.rs", "if above == 0 {", VERDICT),
    declassified("ffi/src/sm4_ff1.rs", "out.write(work(text)?.as_bytes())", CHARACTERS),
    // SM2.
    declassified("sm2/src/arith/scalar.rs", "Option::from(Self::from_bytes(bytes))?", RANGE),
    declassified("sm2/src/arith/scalar.rs", "if bool::from(scalar.is_zero())", RANGE),
    declassified(
        "sm2/src/secret_key.rs",
        "if bool::from(one_plus_d.is_zero() | d.is_zero())",
        RANGE,
    ),
    declassified("sm2/src/sign.rs", "if bool::from(r.is_zero() | (r + *k).is_zero())", RANGE),
    declassified("sm2/src/sign.rs", "if bool::from(s.is_zero())", RANGE),
    declassified("sm2/src/curve/jacobian.rs", "if bool::from(self.z.is_zero())", INFINITY),
    declassified("sm2/src/curve/jacobian.rs", "self.z.is_zero().into()", INFINITY),
    declassified("sm2/src/curve/projective.rs", "if bool::from(self.z.is_zero())", INFINITY),
    declassified("sm2/src/curve/normalize.rs", "if !point.is_infinity_vartime()", INFINITY),
    declassified("sm2/src/encrypt.rs", "if !shared.apply_mask(&mut c2)?", RANGE),
    declassified("sm2/src/encrypt.rs", "if mask_is_good & bool::from(hash.ct_eq(", VERDICT),
    declassified("keys/src/enveloped_key.rs", "if *key.public_key() == self.public", VERDICT),
    declassified("sm2/src/curve/affine.rs", "#[derive(Clone, Copy, PartialEq, Eq)]", VERDICT),
    declassified("sm2/src/curve/affine.rs", "pub(crate) x: FieldElement,", VERDICT),
];

const fn declassified(file: &'static str, line: &'static str, why: &'static str) -> Declassified {
    Declassified { file, line, why }
}

/// What memcheck found in one place.
struct Finding {
    operation: String,
    kind: String,
    file: String,
    line: usize,
    text: String,
}

impl Finding {
    fn place(&self) -> (&str, &str, usize) {
        (&self.operation, &self.file, self.line)
    }
}

/// Runs the operations, all of them by default. `Ok(false)` when something depends on a secret that
/// must not.
pub(crate) fn check(harness: &Path, backend: &str, names: &[String]) -> Result<bool> {
    let names = if names.is_empty() { operations::all(harness)? } else { names.to_vec() };
    // The content of an encrypted key is parsed: all of it would be undefined.
    let names: Vec<_> = names.into_iter().filter(|name| name != "pbes2").collect();
    let report = std::env::temp_dir().join(format!("gmkit-ct-{}.xml", std::process::id()));
    let output = Command::new("valgrind")
        .args(["--quiet", "--read-inline-info=yes", "--num-callers=50", "--error-limit=no"])
        .arg("--xml=yes")
        .arg(format!("--xml-file={}", report.display()))
        .arg(harness)
        .arg("undefined")
        .args(&names)
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let text = fs::read_to_string(&report).map_err(|error| format!("the report: {error}"));
    let _ = fs::remove_file(&report);
    if !output.status.success() {
        return Err(format!("the harness failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    operations::ran_on(&String::from_utf8_lossy(&output.stdout), backend)?;
    Ok(verdict(&names, &findings(&text?)?))
}

/// Prints each finding that nothing excuses, and what was looked at.
fn verdict(names: &[String], findings: &[Finding]) -> bool {
    let excused = |finding: &&Finding| DECLASSIFIED.iter().any(|known| known.excuses(finding));
    let bad: Vec<_> = findings.iter().filter(|finding| !excused(finding)).collect();
    for Finding { operation, kind, file, line, text } in &bad {
        println!("{operation}: {kind} in {file}:{line}:\n    {text}");
    }
    println!("under valgrind, with undefined secrets: {}", names.join(" "));
    println!(
        "{} places depend on a secret and must not; {} decide what is public",
        bad.len(),
        findings.len() - bad.len()
    );
    bad.is_empty()
}

impl Declassified {
    fn excuses(&self, finding: &Finding) -> bool {
        finding.file.ends_with(self.file)
            && finding.text.contains(self.line)
            && !self.why.is_empty()
    }
}

fn findings(xml: &str) -> Result<Vec<Finding>> {
    let document = Document::parse(xml).map_err(|error| format!("the report: {error}"))?;
    let errors = document.descendants().filter(|node| node.has_tag_name("error"));
    let mut findings = errors.map(finding).collect::<Result<Vec<_>>>()?;
    // The harness frees nothing that it does not have to.
    findings.retain(|finding| !finding.kind.starts_with("Leak_"));
    // One line of the source may be many instructions.
    findings.sort_by(|a, b| a.place().cmp(&b.place()));
    findings.dedup_by(|a, b| a.place() == b.place());
    Ok(findings)
}

fn finding(error: Node<'_, '_>) -> Result<Finding> {
    let child = |node: Node<'_, '_>, name: &str| {
        let found = node.children().find(|child| child.has_tag_name(name));
        found.and_then(|child| child.text()).unwrap_or_default().to_owned()
    };
    let stack = error.children().find(|node| node.has_tag_name("stack"));
    let frames: Vec<_> = stack
        .into_iter()
        .flat_map(|stack| stack.children().filter(|node| node.has_tag_name("frame")))
        .map(|frame| {
            let line: usize = child(frame, "line").parse().unwrap_or(0);
            (child(frame, "dir"), child(frame, "file"), line, child(frame, "fn"))
        })
        .collect();
    let operation = frames.iter().find(|(_, file, ..)| file == "harness.c");
    let operation = operation.map_or_else(|| "?".to_owned(), |(.., function)| function.clone());
    // What the standard library and other crates do, they do for a line of ours.
    let is_ours = |dir: &str| dir.contains("/crates/") || dir.contains("/ffi/");
    let ours = frames.iter().find(|(dir, ..)| is_ours(dir)).or(frames.first());
    let (dir, file, line, _) = ours.ok_or("an error without a stack")?;
    let file = format!("{dir}/{file}");
    let source = fs::read_to_string(&file).unwrap_or_default();
    let text = source.lines().nth(line.wrapping_sub(1)).unwrap_or_default().trim().to_owned();
    Ok(Finding { operation, kind: child(error, "kind"), file, line: *line, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_declassified_line_of_a_file_is_excused() {
        let known = Declassified { file: "a/b.rs", line: "if fits", why: VERDICT };
        let finding = |file: &str, text: &str| Finding {
            operation: "x".into(),
            kind: "UninitCondition".into(),
            file: file.into(),
            line: 1,
            text: text.into(),
        };
        assert!(known.excuses(&finding("/src/a/b.rs", "if fits {")));
        assert!(!known.excuses(&finding("/src/a/b.rs", "if secret {")));
        assert!(!known.excuses(&finding("/src/a/c.rs", "if fits {")));
    }

    #[test]
    fn a_report_is_read() {
        let xml = "<valgrindoutput><error><kind>UninitValue</kind><stack>\
            <frame><dir>/rustc/library/core</dir><file>index.rs</file><line>3</line></frame>\
            <frame><dir>/x/crates/sm4/src</dir><file>gcm.rs</file><line>7</line></frame>\
            <frame><dir>crates/ct</dir><file>harness.c</file><line>9</line><fn>gcm_open</fn></frame>\
            </stack></error></valgrindoutput>";
        let findings = findings(xml).unwrap();
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].operation, "gcm_open");
        assert_eq!((findings[0].file.as_str(), findings[0].line), ("/x/crates/sm4/src/gcm.rs", 7));
        assert!(findings[0].kind == "UninitValue");
    }
}
