//! The operations under valgrind, with their secrets undefined.

use std::{fs, path::Path, process::Command};

use rayon::prelude::*;
use roxmltree::{Document, Node};

use crate::{operations, trace::Result};

/// A branch that depends on a secret and may: what it decides is public. Each is one line of the
/// source, and no other branch of the same function is excused with it.
struct Declassified {
    file: &'static str,
    line: &'static str,
    why: &'static Reason,
    /// `UninitValue` for an address: of a table of jumps, or of what is copied.
    kind: &'static str,
    /// The operations in which it may, when not in all of them.
    only: &'static [&'static str],
}

/// Why something is public.
struct Reason {
    is_public: &'static str,
    /// Where such a branch may be in the code of others that the line calls: a part of the file's
    /// path and a part of the function's name. Nothing else of theirs is excused; a comparison that
    /// ends early would be in `memcmp` or an iterator.
    inside: &'static [(&'static str, &'static str)],
}

const VERDICT: &Reason = &Reason {
    is_public: "whether it is accepted is the answer",
    inside: &[
        ("/digest-0.", "verify"),
        ("/aes-gcm-siv-0.", "decrypt_inout_detached"),
        ("/core/src/result.rs", ""),
    ],
};
const LENGTH: &Reason = &Reason {
    is_public: "the length of the plaintext is a part of the answer",
    inside: &[
        ("/core/src/num/uint_macros.rs", "checked_sub"),
        ("/core/src/slice/index.rs", "index"),
        ("", "copy_from_slice_impl"),
        ("", "memmove"),
        ("", "memcpy"),
    ],
};
const RANGE: &Reason = &Reason {
    is_public: "whether a number is a private key or a nonce; of those refused none is used",
    inside: &[("/subtle-2.", "from")],
};
const INFINITY: &Reason = &Reason {
    is_public: "never, for the scalars that there are",
    inside: &[("/core/src/option.rs", "as_ref")],
};
const CHARACTERS: &Reason = &Reason {
    is_public: "how many bytes a character has in UTF-8, as the documentation says",
    inside: &[
        ("/alloc/src/raw_vec/", "reserve"),
        // The debug information of the optimised build may have lost the name.
        ("/alloc/src/raw_vec/", "UnknownInlinedFun"),
        ("/core/src/char/", ""),
        ("/core/src/iter/range.rs", ""),
        ("/core/src/iter/traits/iterator.rs", "fold"),
        ("/core/src/slice/iter/macros.rs", ""),
        ("/core/src/ptr/mod.rs", ""),
        ("/core/src/str/validations.rs", "next_code_point"),
        ("", "memmove"),
    ],
};
const HEALTH: &Reason =
    &Reason { is_public: "a noise source that fails stops the generator", inside: &[] };

/// The operations whose output is as long as a padding says.
const PADDED: &[&str] = &["sm4-cbc-decrypt", "sm4-wrap", "sm4-ff1"];

const DECLASSIFIED: &[Declassified] = &[
    // Tags, MACs, padding, key wrap.
    branch("sm4/src/gcm.rs", "if tags_equal(&want, tag)", VERDICT),
    branch("sm4/src/ccm.rs", "if bool::from(want.as_bytes().ct_eq(tag))", VERDICT),
    branch("sm4/src/gcm_siv.rs", "self.0.decrypt_inout_detached(", VERDICT),
    branch("sm4/src/cbc.rs", "if bool::from(good)", VERDICT),
    branch("sm4/src/cbc.rs", "unpadded_len(&last).inspect(", LENGTH),
    address("sm4/src/cbc.rs", "unpadded_len(&last).inspect(", LENGTH),
    branch("sm4/src/wrap.rs", "if bool::from(good)", VERDICT),
    branch("sm4/src/wrap.rs", "Ok(&r[..(padded_len - padding) as usize])", LENGTH),
    branch("sm4/src/xts.rs", "if bool::from(k1.ct_eq(k2))", VERDICT),
    branch("ffi/src/hmac_sm3.rs", "mac.verify(expected.into())", VERDICT),
    branch("ffi/src/hmac_sm3.rs", "the MAC does not fit", VERDICT),
    branch("ffi/src/sm4_mac.rs", "mac.verify(expected.into())", VERDICT),
    branch("ffi/src/sm4_mac.rs", "the MAC does not fit", VERDICT),
    branch("ffi/src/sm4_ccm.rs", "key.open(nonce, aad, &mut data, tag.get()?)?", VERDICT),
    // Which error it is selects from a table.
    address("ffi/src/fault.rs", "let code = match error {", VERDICT),
    address("sm4/src/error.rs", "f.write_str(match self {", VERDICT),
    // The ways of a length that has become public.
    branch("ffi/src/sm4_cbc.rs", "out.write(&last[..written])", LENGTH),
    branch("ffi/src/pointer.rs", "if bytes.is_empty() {", LENGTH).only(PADDED),
    branch("ffi/src/pointer.rs", "self.0.copy_from(bytes.as_ptr(), bytes.len())", LENGTH)
        .only(PADDED),
    address("ffi/src/pointer.rs", "self.0.copy_from(bytes.as_ptr(), bytes.len())", LENGTH)
        .only(PADDED),
    branch("ffi/src/pointer.rs", "assert!(bytes.len() <= self.room", LENGTH).only(PADDED),
    // FF1 on texts.
    branch("sm4/src/ff1.rs", "if text.chars().count() > MAX_LEN", CHARACTERS),
    branch("sm4/src/ff1/alphabet.rs", "for c in text.chars()", CHARACTERS),
    branch("sm4/src/ff1/alphabet.rs", "text.extend(char::from_u32(c))", CHARACTERS),
    address("sm4/src/ff1/alphabet.rs", "text.extend(char::from_u32(c))", CHARACTERS),
    branch("sm4/src/ff1/alphabet.rs", "if all_known {", VERDICT),
    branch("sm4/src/ff1/numerals.rs", "if above == 0 {", VERDICT),
    branch("ffi/src/sm4_ff1.rs", "out.write(work(text)?.as_bytes())", CHARACTERS),
    address("ffi/src/sm4_ff1.rs", "out.write(work(text)?.as_bytes())", CHARACTERS),
    // The generators.
    branch("rng/src/drng.rs", "if self.health.check(", HEALTH),
    // SM2.
    branch("sm2/src/arith/scalar.rs", "Option::from(Self::from_bytes(bytes))?", RANGE),
    branch("sm2/src/arith/scalar.rs", "if bool::from(scalar.is_zero())", RANGE),
    branch("sm2/src/secret_key.rs", "if bool::from(one_plus_d.is_zero() | d.is_zero())", RANGE),
    branch("sm2/src/sign.rs", "if bool::from(r.is_zero() | (r + *k).is_zero())", RANGE),
    branch("sm2/src/sign.rs", "if bool::from(s.is_zero())", RANGE),
    branch("sm2/src/curve/jacobian.rs", "if bool::from(self.z.is_zero())", INFINITY),
    branch("sm2/src/curve/projective.rs", "if bool::from(self.z.is_zero())", INFINITY),
    branch("sm2/src/curve/normalize.rs", "if !point.is_infinity_vartime()", INFINITY),
    branch("sm2/src/backend.rs", "let cast = point.as_ref().map(Affine::cast);", INFINITY),
    branch("sm2/src/encrypt.rs", "if !shared.apply_mask(&mut c2)?", RANGE),
    branch("sm2/src/encrypt.rs", "if mask_is_good & bool::from(hash.ct_eq(", VERDICT),
    branch("keys/src/enveloped_key.rs", "if *key.public_key() == self.public", VERDICT),
    branch("sm2/src/curve/affine.rs", "#[derive(Clone, Copy, PartialEq, Eq)]", VERDICT),
    branch("sm2/src/curve/affine.rs", "pub(crate) x: FieldElement,", VERDICT),
];

const fn branch(file: &'static str, line: &'static str, why: &'static Reason) -> Declassified {
    Declassified { file, line, why, kind: "UninitCondition", only: &[] }
}

const fn address(file: &'static str, line: &'static str, why: &'static Reason) -> Declassified {
    Declassified { kind: "UninitValue", ..branch(file, line, why) }
}

/// What memcheck found in one place.
struct Finding {
    operation: String,
    kind: String,
    /// The innermost line of ours.
    file: String,
    line: usize,
    text: String,
    /// File and function where it is, when that is not ours.
    inside: Option<(String, String)>,
}

impl Finding {
    fn place(&self) -> (&str, usize, &Option<(String, String)>) {
        (&self.file, self.line, &self.inside)
    }
}

/// Runs the operations, all of them by default, each in a process of its own: memcheck reports
/// what it takes for the same only once. `Ok(false)` when something depends on a secret that must
/// not.
pub(crate) fn check(harness: &Path, backend: &str, names: &[String]) -> Result<bool> {
    let all = names.is_empty();
    let names = if all { operations::all(harness)? } else { names.to_vec() };
    // The content of an encrypted key is parsed: all of it would be undefined.
    let names: Vec<_> = names.into_iter().filter(|name| name != "pbes2").collect();
    let found: Vec<_> =
        names.par_iter().map(|name| run(harness, backend, name)).collect::<Result<_>>()?;
    let found: Vec<_> = found.into_iter().flatten().collect();
    let clean = verdict(&names, &found);
    if all {
        without_use(&found);
    }
    Ok(clean)
}

/// An entry that nothing needs any more would excuse what comes next. What another build needs it
/// for is not known here.
fn without_use(findings: &[Finding]) {
    for known in DECLASSIFIED {
        if !findings.iter().any(|finding| known.excuses(finding)) {
            println!("not needed in this build: {} \"{}\"", known.file, known.line);
        }
    }
}

fn run(harness: &Path, backend: &str, name: &str) -> Result<Vec<Finding>> {
    let report = format!("gmkit-ct-{}-{name}.xml", std::process::id());
    let report = std::env::temp_dir().join(report);
    let output = Command::new("valgrind")
        .args(["--quiet", "--read-inline-info=yes", "--num-callers=50", "--error-limit=no"])
        .arg("--xml=yes")
        .arg(format!("--xml-file={}", report.display()))
        .arg(harness)
        .args(["undefined", name])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let text = fs::read_to_string(&report).map_err(|error| format!("the report: {error}"));
    let _ = fs::remove_file(&report);
    if !output.status.success() {
        return Err(format!("the harness failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    operations::ran_on(&String::from_utf8_lossy(&output.stdout), backend)?;
    findings(name, &text?)
}

/// Prints each finding that nothing excuses, and what was looked at.
fn verdict(names: &[String], findings: &[Finding]) -> bool {
    let excused = |finding: &&Finding| DECLASSIFIED.iter().any(|known| known.excuses(finding));
    let bad: Vec<_> = findings.iter().filter(|finding| !excused(finding)).collect();
    for Finding { operation, kind, file, line, text, inside } in &bad {
        println!("{operation}: {kind} in {file}:{line}:\n    {text}");
        if let Some((file, function)) = inside {
            println!("    inside {file}: {function}");
        }
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
    const fn only(self, operations: &'static [&'static str]) -> Self {
        Self { only: operations, ..self }
    }

    fn excuses(&self, finding: &Finding) -> bool {
        finding.kind == self.kind
            && finding.file.ends_with(self.file)
            && finding.text.contains(self.line)
            && (self.only.is_empty() || self.only.contains(&finding.operation.as_str()))
            && finding.inside.as_ref().is_none_or(|inside| self.why.excuses(inside))
    }
}

impl Reason {
    fn excuses(&self, (file, function): &(String, String)) -> bool {
        let known = |part: &(&str, &str)| file.contains(part.0) && function.contains(part.1);
        !self.is_public.is_empty() && self.inside.iter().any(known)
    }
}

fn findings(operation: &str, xml: &str) -> Result<Vec<Finding>> {
    let document = Document::parse(xml).map_err(|error| format!("the report: {error}"))?;
    let errors = document.descendants().filter(|node| node.has_tag_name("error"));
    let read = errors.map(|error| finding(operation, error));
    let mut findings = read.collect::<Result<Vec<_>>>()?;
    // The harness frees nothing that it does not have to.
    findings.retain(|finding| !finding.kind.starts_with("Leak_"));
    // One line of the source may be many instructions.
    findings.sort_by(|a, b| (&a.kind, a.place()).cmp(&(&b.kind, b.place())));
    findings.dedup_by(|a, b| a.kind == b.kind && a.place() == b.place());
    Ok(findings)
}

/// A frame of the stack: folder, file, line, function.
struct Frame {
    dir: String,
    file: String,
    line: usize,
    function: String,
}

impl Frame {
    fn new(node: Node<'_, '_>) -> Self {
        let line = child(node, "line").parse().unwrap_or(0);
        let (dir, file) = (child(node, "dir"), child(node, "file"));
        Self { dir, file, line, function: child(node, "fn") }
    }

    fn path(&self) -> String {
        format!("{}/{}", self.dir, self.file)
    }

    fn is_ours(&self) -> bool {
        self.dir.contains("/crates/") || self.dir.contains("/ffi/") || self.file == "harness.c"
    }
}

fn child(node: Node<'_, '_>, name: &str) -> String {
    let found = node.children().find(|child| child.has_tag_name(name));
    found.and_then(|child| child.text()).unwrap_or_default().to_owned()
}

fn finding(operation: &str, error: Node<'_, '_>) -> Result<Finding> {
    let stack = error.children().find(|node| node.has_tag_name("stack"));
    let frames: Vec<_> = stack
        .into_iter()
        .flat_map(|stack| stack.children().filter(|node| node.has_tag_name("frame")))
        .map(Frame::new)
        .collect();
    let innermost = frames.first().ok_or("an error without a stack")?;
    let ours = frames.iter().find(|frame| frame.is_ours()).unwrap_or(innermost);
    let source = fs::read_to_string(ours.path()).unwrap_or_default();
    let text = source.lines().nth(ours.line.wrapping_sub(1)).unwrap_or_default().trim().to_owned();
    Ok(Finding {
        operation: operation.to_owned(),
        kind: child(error, "kind"),
        file: ours.path(),
        line: ours.line,
        text,
        inside: (!innermost.is_ours()).then(|| (innermost.path(), innermost.function.clone())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(file: &str, text: &str) -> Finding {
        Finding {
            operation: "sm4-x".into(),
            kind: "UninitCondition".into(),
            file: file.into(),
            line: 1,
            text: text.into(),
            inside: None,
        }
    }

    #[test]
    fn only_the_declassified_line_of_a_file_is_excused() {
        let known = branch("a/b.rs", "if fits", VERDICT);
        assert!(known.excuses(&finding("/src/a/b.rs", "if fits {")));
        assert!(!known.excuses(&finding("/src/a/b.rs", "if secret {")));
        assert!(!known.excuses(&finding("/src/a/c.rs", "if fits {")));
        assert!(!known.only(&["sm4-y"]).excuses(&finding("/src/a/b.rs", "if fits {")));
    }

    /// Neither an address, nor what the line calls.
    #[test]
    fn what_is_below_a_declassified_line_is_not_excused_with_it() {
        let known = branch("a/b.rs", "if fits", VERDICT);
        let address = Finding { kind: "UninitValue".into(), ..finding("a/b.rs", "if fits") };
        assert!(!known.excuses(&address));
        for (file, function, excused) in [
            ("/registry/digest-0.11.3/src/mac.rs", "verify<Hmac>", true),
            ("/registry/digest-0.11.3/src/mac.rs", "eq", false),
            ("/rustc/library/core/src/slice/cmp.rs", "equal<u8>", false),
            ("/", "memcmp", false),
        ] {
            let inside = Some((file.to_owned(), function.to_owned()));
            let finding = Finding { inside, ..finding("a/b.rs", "if fits") };
            assert_eq!(known.excuses(&finding), excused, "{file} {function}");
        }
    }

    #[test]
    fn a_report_is_read() {
        let xml = "<valgrindoutput><error><kind>UninitValue</kind><stack>\
            <frame><dir>/rustc/library/core</dir><file>index.rs</file><line>3</line><fn>f</fn></frame>\
            <frame><dir>/x/crates/sm4/src</dir><file>gcm.rs</file><line>7</line></frame>\
            <frame><dir>crates/ct</dir><file>harness.c</file><line>9</line></frame>\
            </stack></error></valgrindoutput>";
        let found = findings("sm4-gcm", xml).unwrap();
        let [found] = &found[..] else { panic!("not one") };
        assert_eq!((found.file.as_str(), found.line), ("/x/crates/sm4/src/gcm.rs", 7));
        assert!(found.kind == "UninitValue" && found.operation == "sm4-gcm");
        assert_eq!(found.inside, Some(("/rustc/library/core/index.rs".into(), "f".into())));
    }
}
