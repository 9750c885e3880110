//! Which attributes each class of object has, and who may set them (PKCS#11 2.40, 4).

use cryptoki_sys::*;

use crate::{
    attributes::Attributes,
    rv::{Result, Rv, ensure, fail},
};

/// Longest value of an attribute, in bytes.
pub(crate) const MAX_VALUE: usize = 64 * 1024;

/// Classes, as a set.
const DATA: u8 = 1;
const CERTIFICATE: u8 = 2;
const PUBLIC: u8 = 4;
const PRIVATE: u8 = 8;
const SECRET: u8 = 16;
const KEY: u8 = PUBLIC | PRIVATE | SECRET;
const ALL: u8 = DATA | CERTIFICATE | KEY;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Flag,
    Number,
    Bytes,
    /// Eight ASCII digits, or nothing.
    Date,
}

/// Who sets an attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Setter {
    /// The caller, at any time.
    Caller,
    /// The caller, when the object is made.
    Once,
    /// The caller, but only from `false` to `true`.
    Raise,
    /// The caller, but only from `true` to `false`.
    Lower,
    /// The caller where a key is brought in; the token where it makes the key.
    Material,
    /// The token.
    Token,
    /// The security officer.
    Officer,
}

struct Rule {
    kind: CK_ATTRIBUTE_TYPE,
    form: Form,
    classes: u8,
    setter: Setter,
}

const fn rule(kind: CK_ATTRIBUTE_TYPE, form: Form, classes: u8, setter: Setter) -> Rule {
    Rule { kind, form, classes, setter }
}

static RULES: &[Rule] = {
    use self::{Form::*, Setter::*};
    &[
        rule(CKA_CLASS, Number, ALL, Once),
        rule(CKA_TOKEN, Flag, ALL, Once),
        rule(CKA_PRIVATE, Flag, ALL, Once),
        rule(CKA_MODIFIABLE, Flag, ALL, Once),
        rule(CKA_COPYABLE, Flag, ALL, Lower),
        rule(CKA_DESTROYABLE, Flag, ALL, Once),
        rule(CKA_LABEL, Bytes, ALL, Caller),
        rule(CKA_APPLICATION, Bytes, DATA, Caller),
        rule(CKA_OBJECT_ID, Bytes, DATA, Caller),
        rule(CKA_VALUE, Bytes, DATA, Caller),
        rule(CKA_VALUE, Bytes, CERTIFICATE, Once),
        rule(CKA_CERTIFICATE_TYPE, Number, CERTIFICATE, Once),
        rule(CKA_CERTIFICATE_CATEGORY, Number, CERTIFICATE, Once),
        rule(CKA_TRUSTED, Flag, CERTIFICATE | PUBLIC | SECRET, Officer),
        rule(CKA_SUBJECT, Bytes, CERTIFICATE, Once),
        rule(CKA_SUBJECT, Bytes, PUBLIC | PRIVATE, Caller),
        rule(CKA_ISSUER, Bytes, CERTIFICATE, Caller),
        rule(CKA_SERIAL_NUMBER, Bytes, CERTIFICATE, Caller),
        rule(CKA_URL, Bytes, CERTIFICATE, Once),
        rule(CKA_ID, Bytes, CERTIFICATE | KEY, Caller),
        rule(CKA_KEY_TYPE, Number, KEY, Once),
        rule(CKA_START_DATE, Date, CERTIFICATE | KEY, Caller),
        rule(CKA_END_DATE, Date, CERTIFICATE | KEY, Caller),
        rule(CKA_DERIVE, Flag, KEY, Caller),
        rule(CKA_LOCAL, Flag, KEY, Token),
        rule(CKA_KEY_GEN_MECHANISM, Number, KEY, Token),
        rule(CKA_ALLOWED_MECHANISMS, Bytes, KEY, Once),
        rule(CKA_ENCRYPT, Flag, PUBLIC | SECRET, Caller),
        rule(CKA_VERIFY, Flag, PUBLIC | SECRET, Caller),
        rule(CKA_VERIFY_RECOVER, Flag, PUBLIC, Caller),
        rule(CKA_WRAP, Flag, PUBLIC | SECRET, Caller),
        rule(CKA_DECRYPT, Flag, PRIVATE | SECRET, Caller),
        rule(CKA_SIGN, Flag, PRIVATE | SECRET, Caller),
        rule(CKA_SIGN_RECOVER, Flag, PRIVATE, Caller),
        rule(CKA_UNWRAP, Flag, PRIVATE | SECRET, Caller),
        rule(CKA_SENSITIVE, Flag, PRIVATE | SECRET, Raise),
        rule(CKA_EXTRACTABLE, Flag, PRIVATE | SECRET, Lower),
        rule(CKA_ALWAYS_SENSITIVE, Flag, PRIVATE | SECRET, Token),
        rule(CKA_NEVER_EXTRACTABLE, Flag, PRIVATE | SECRET, Token),
        rule(CKA_WRAP_WITH_TRUSTED, Flag, PRIVATE | SECRET, Raise),
        rule(CKA_ALWAYS_AUTHENTICATE, Flag, PRIVATE, Once),
        rule(CKA_EC_PARAMS, Bytes, PUBLIC | PRIVATE, Once),
        rule(CKA_EC_POINT, Bytes, PUBLIC | PRIVATE, Material),
        rule(CKA_VALUE, Bytes, PRIVATE | SECRET, Material),
        rule(CKA_VALUE_LEN, Number, SECRET, Once),
    ]
};

/// How an object comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The caller brings its value.
    Created,
    /// Made here.
    Generated(CK_MECHANISM_TYPE),
    /// Came wrapped.
    Unwrapped,
    /// Computed from another key, whose history it has (4.8 and 4.10 of the standard).
    Derived { always_sensitive: bool, never_extractable: bool },
}

fn class_bit(attributes: &Attributes) -> Result<u8> {
    match attributes.required(CKA_CLASS)? {
        CKO_DATA => Ok(DATA),
        CKO_CERTIFICATE => Ok(CERTIFICATE),
        CKO_PUBLIC_KEY => Ok(PUBLIC),
        CKO_PRIVATE_KEY => Ok(PRIVATE),
        CKO_SECRET_KEY => Ok(SECRET),
        _ => fail(CKR_ATTRIBUTE_VALUE_INVALID),
    }
}

fn find(kind: CK_ATTRIBUTE_TYPE, class: u8) -> Result<&'static Rule> {
    RULES
        .iter()
        .find(|rule| rule.kind == kind && rule.classes & class != 0)
        .ok_or(Rv(CKR_ATTRIBUTE_TYPE_INVALID))
}

fn check_form(form: Form, value: &[u8]) -> Result {
    let fine = match form {
        Form::Flag => matches!(value, [0 | 1]),
        Form::Number => value.len() == size_of::<CK_ULONG>(),
        Form::Bytes => value.len() <= MAX_VALUE,
        Form::Date => value.is_empty() || value.len() == 8 && value.iter().all(u8::is_ascii_digit),
    };
    ensure(fine, CKR_ATTRIBUTE_VALUE_INVALID)
}

/// Checks a template for a new object, before the defaults are filled in.
pub(crate) fn check_new(template: &Attributes, origin: Origin, officer: bool) -> Result {
    let class = class_bit(template)?;
    for (kind, value) in template.iter() {
        let rule = find(kind, class)?;
        check_form(rule.form, value)?;
        match rule.setter {
            Setter::Token => return fail(CKR_ATTRIBUTE_READ_ONLY),
            Setter::Material => ensure(origin == Origin::Created, CKR_TEMPLATE_INCONSISTENT)?,
            Setter::Officer => ensure(officer || value == [0], CKR_ATTRIBUTE_READ_ONLY)?,
            Setter::Caller | Setter::Once | Setter::Raise | Setter::Lower => {}
        }
    }
    // A key that always asks for the user's PIN is the user's.
    let asks = template.flag(CKA_ALWAYS_AUTHENTICATE);
    let public = template.get(CKA_PRIVATE) == Some(&[0]);
    ensure(!(asks && public), CKR_TEMPLATE_INCONSISTENT)?;
    let mechanisms = template.get(CKA_ALLOWED_MECHANISMS).unwrap_or_default();
    ensure(mechanisms.len().is_multiple_of(size_of::<CK_ULONG>()), CKR_ATTRIBUTE_VALUE_INVALID)
}

/// Fills in what the caller did not say, and what only the token says.
pub(crate) fn complete(attributes: &mut Attributes, origin: Origin) -> Result {
    let class = class_bit(attributes)?;
    let secretive = class & (PRIVATE | SECRET) != 0;
    // A key that wraps others had better not decrypt them as well, unless its maker says so.
    let wraps = attributes.flag(CKA_WRAP) || attributes.flag(CKA_UNWRAP);
    let encrypts = !wraps && attributes.number(CKA_KEY_TYPE) != Some(CKK_EC);
    for rule in RULES.iter().filter(|rule| rule.classes & class != 0) {
        match (rule.kind, rule.form) {
            (CKA_ALLOWED_MECHANISMS | CKA_EC_PARAMS | CKA_EC_POINT | CKA_VALUE, _) => {}
            (CKA_CERTIFICATE_CATEGORY, _) => {
                attributes.set_default(rule.kind, [0; size_of::<CK_ULONG>()]);
            }
            (_, Form::Number) => {}
            (_, Form::Bytes | Form::Date) => attributes.set_default(rule.kind, []),
            (kind, Form::Flag) => {
                let yes = match kind {
                    CKA_MODIFIABLE | CKA_COPYABLE | CKA_DESTROYABLE => true,
                    CKA_PRIVATE | CKA_SENSITIVE => secretive,
                    CKA_SIGN | CKA_VERIFY => true,
                    CKA_ENCRYPT | CKA_DECRYPT => encrypts,
                    _ => false,
                };
                attributes.set_default(kind, [u8::from(yes)]);
            }
        }
    }
    if class & KEY != 0 {
        set_history(attributes, origin, secretive);
    }
    Ok(())
}

/// Where a key comes from, and whether it ever was open to view.
fn set_history(attributes: &mut Attributes, origin: Origin, secretive: bool) {
    let made_by = match origin {
        Origin::Generated(mechanism) => Some(mechanism),
        _ => None,
    };
    attributes.set_flag(CKA_LOCAL, made_by.is_some());
    attributes.set_number(CKA_KEY_GEN_MECHANISM, made_by.unwrap_or(CK_UNAVAILABLE_INFORMATION));
    if !secretive {
        return;
    }
    let (sensitive, hidden) = match origin {
        Origin::Generated(_) => (true, true),
        Origin::Derived { always_sensitive, never_extractable } => {
            (always_sensitive, never_extractable)
        }
        Origin::Created | Origin::Unwrapped => (false, false),
    };
    let always = sensitive && attributes.flag(CKA_SENSITIVE);
    let never = hidden && !attributes.flag(CKA_EXTRACTABLE);
    attributes.set_flag(CKA_ALWAYS_SENSITIVE, always);
    attributes.set_flag(CKA_NEVER_EXTRACTABLE, never);
}

/// Checks what C_SetAttributeValue or C_CopyObject wants to change. A copy may also move to the
/// token or away from it, and become private.
pub(crate) fn check_change(
    old: &Attributes,
    changes: &Attributes,
    copy: bool,
    officer: bool,
) -> Result {
    let class = class_bit(old)?;
    for (kind, value) in changes.iter() {
        let rule = find(kind, class)?;
        check_form(rule.form, value)?;
        // What a trusted key is for is the officer's word too.
        let fixed = rule.form == Form::Flag && old.flag(CKA_TRUSTED) && !officer;
        ensure(!fixed, CKR_ATTRIBUTE_READ_ONLY)?;
        let allowed = match rule.setter {
            Setter::Caller => true,
            Setter::Raise => value == [1] || !old.flag(kind),
            Setter::Lower => value == [0] || old.flag(kind),
            Setter::Officer => officer || value == [0],
            Setter::Once if copy => match kind {
                CKA_TOKEN | CKA_MODIFIABLE | CKA_DESTROYABLE => true,
                CKA_PRIVATE => value == [1] || !old.flag(kind),
                _ => false,
            },
            Setter::Once | Setter::Material | Setter::Token => false,
        };
        ensure(allowed, CKR_ATTRIBUTE_READ_ONLY)?;
    }
    Ok(())
}

/// Whether an object is encrypted on the disk: private ones, and every private or secret key, even
/// one that its maker calls public.
pub(crate) fn is_sealed(attributes: &Attributes) -> bool {
    attributes.flag(CKA_PRIVATE)
        || matches!(attributes.class(), Some(CKO_PRIVATE_KEY | CKO_SECRET_KEY))
}

/// Whether a value must not be shown: that of a key which is sensitive or not extractable.
pub(crate) fn is_hidden(attributes: &Attributes, kind: CK_ATTRIBUTE_TYPE) -> bool {
    kind == CKA_VALUE
        && matches!(attributes.class(), Some(CKO_PRIVATE_KEY | CKO_SECRET_KEY))
        && (attributes.flag(CKA_SENSITIVE) || !attributes.flag(CKA_EXTRACTABLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(class: CK_OBJECT_CLASS) -> Attributes {
        let mut attributes = Attributes::default();
        attributes.set_number(CKA_CLASS, class);
        attributes
    }

    #[test]
    fn what_only_the_token_sets_is_refused_in_templates() {
        for kind in [CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE] {
            let mut template = key(CKO_PRIVATE_KEY);
            template.set_flag(kind, true);
            assert_eq!(check_new(&template, Origin::Created, true), fail(CKR_ATTRIBUTE_READ_ONLY));
        }
        let mut template = key(CKO_SECRET_KEY);
        template.set(CKA_VALUE, [0; 16]);
        assert_eq!(check_new(&template, Origin::Created, false), Ok(()));
        assert_eq!(
            check_new(&template, Origin::Generated(1), false),
            fail(CKR_TEMPLATE_INCONSISTENT)
        );
        template.set_flag(CKA_TRUSTED, true);
        assert_eq!(check_new(&template, Origin::Created, false), fail(CKR_ATTRIBUTE_READ_ONLY));
        assert_eq!(check_new(&template, Origin::Created, true), Ok(()));
    }

    #[test]
    fn secrecy_only_tightens() {
        let mut old = key(CKO_PRIVATE_KEY);
        complete(&mut old, Origin::Generated(1)).unwrap();
        assert!(old.flag(CKA_SENSITIVE) && old.flag(CKA_ALWAYS_SENSITIVE));
        assert!(!old.flag(CKA_EXTRACTABLE) && old.flag(CKA_NEVER_EXTRACTABLE));
        for (kind, value) in [
            (CKA_SENSITIVE, false),
            (CKA_EXTRACTABLE, true),
            (CKA_PRIVATE, false),
            (CKA_LOCAL, false),
        ] {
            let mut change = Attributes::default();
            change.set_flag(kind, value);
            for copy in [false, true] {
                assert_eq!(check_change(&old, &change, copy, true), fail(CKR_ATTRIBUTE_READ_ONLY));
            }
        }
    }

    #[test]
    fn values_are_hidden_unless_both_say_open() {
        let mut open = key(CKO_SECRET_KEY);
        open.set_flag(CKA_SENSITIVE, false);
        assert!(is_hidden(&open, CKA_VALUE), "not extractable");
        open.set_flag(CKA_EXTRACTABLE, true);
        assert!(!is_hidden(&open, CKA_VALUE));
        open.set_flag(CKA_SENSITIVE, true);
        assert!(is_hidden(&open, CKA_VALUE));
        assert!(!is_hidden(&key(CKO_CERTIFICATE), CKA_VALUE));
    }
}
