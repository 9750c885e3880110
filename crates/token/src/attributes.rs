//! Attributes of an object, and templates, which are attributes as well.

use std::collections::BTreeMap;

use cryptoki_sys::{
    CK_ATTRIBUTE_TYPE, CK_OBJECT_CLASS, CK_ULONG, CKA_CLASS, CKR_ATTRIBUTE_VALUE_INVALID,
    CKR_TEMPLATE_INCOMPLETE, CKR_TEMPLATE_INCONSISTENT,
};
use der::{Decode, Encode, Sequence, asn1::OctetStringRef};
use zeroize::Zeroizing;

use crate::rv::{Result, Rv, ensure};

/// Values by type. Any value may be a secret, so all are wiped.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Attributes(BTreeMap<CK_ATTRIBUTE_TYPE, Zeroizing<Vec<u8>>>);

impl Attributes {
    /// Takes a template, in which no type may stand twice.
    pub(crate) fn from_template(
        entries: impl IntoIterator<Item = (CK_ATTRIBUTE_TYPE, Zeroizing<Vec<u8>>)>,
    ) -> Result<Self> {
        let mut attributes = Self::default();
        for (kind, value) in entries {
            let before = attributes.0.insert(kind, value);
            ensure(before.is_none(), CKR_TEMPLATE_INCONSISTENT)?;
        }
        Ok(attributes)
    }

    pub(crate) fn get(&self, kind: CK_ATTRIBUTE_TYPE) -> Option<&[u8]> {
        self.0.get(&kind).map(|value| value.as_slice())
    }

    pub(crate) fn set(&mut self, kind: CK_ATTRIBUTE_TYPE, value: impl AsRef<[u8]>) {
        self.0.insert(kind, Zeroizing::new(value.as_ref().to_vec()));
    }

    pub(crate) fn set_default(&mut self, kind: CK_ATTRIBUTE_TYPE, value: impl AsRef<[u8]>) {
        self.0.entry(kind).or_insert_with(|| Zeroizing::new(value.as_ref().to_vec()));
    }

    pub(crate) fn remove(&mut self, kind: CK_ATTRIBUTE_TYPE) -> Option<Zeroizing<Vec<u8>>> {
        self.0.remove(&kind)
    }

    /// A boolean; `false` where it is absent.
    pub(crate) fn flag(&self, kind: CK_ATTRIBUTE_TYPE) -> bool {
        self.get(kind).is_some_and(|value| value == [1])
    }

    pub(crate) fn set_flag(&mut self, kind: CK_ATTRIBUTE_TYPE, value: bool) {
        self.set(kind, [u8::from(value)]);
    }

    pub(crate) fn number(&self, kind: CK_ATTRIBUTE_TYPE) -> Option<CK_ULONG> {
        self.get(kind)?.try_into().ok().map(CK_ULONG::from_ne_bytes)
    }

    pub(crate) fn set_number(&mut self, kind: CK_ATTRIBUTE_TYPE, value: CK_ULONG) {
        self.set(kind, value.to_ne_bytes());
    }

    /// A number that must be there.
    pub(crate) fn required(&self, kind: CK_ATTRIBUTE_TYPE) -> Result<CK_ULONG> {
        let value = self.get(kind).ok_or(Rv(CKR_TEMPLATE_INCOMPLETE))?;
        let bytes = value.try_into().map_err(|_| Rv(CKR_ATTRIBUTE_VALUE_INVALID))?;
        Ok(CK_ULONG::from_ne_bytes(bytes))
    }

    pub(crate) fn class(&self) -> Option<CK_OBJECT_CLASS> {
        self.number(CKA_CLASS)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (CK_ATTRIBUTE_TYPE, &[u8])> {
        self.0.iter().map(|(kind, value)| (*kind, value.as_slice()))
    }

    /// Whether each of the template's values is here, byte for byte. `readable` says which values
    /// may be compared: a secret must not be found by guessing it.
    pub(crate) fn matches(
        &self,
        template: &Self,
        readable: impl Fn(CK_ATTRIBUTE_TYPE) -> bool,
    ) -> bool {
        template.iter().all(|(kind, value)| readable(kind) && self.get(kind) == Some(value))
    }

    /// DER for the disk: SEQUENCE OF SEQUENCE { type INTEGER, value OCTET STRING }.
    pub(crate) fn to_der(&self) -> Result<Zeroizing<Vec<u8>>> {
        let entry = |(kind, value)| Ok(Entry { kind, value: OctetStringRef::new(value)? });
        let entries: Vec<_> = self.iter().map(entry).collect::<der::Result<_>>()?;
        Ok(Zeroizing::new(entries.to_der()?))
    }

    pub(crate) fn from_der(bytes: &[u8]) -> Result<Self> {
        let entries = Vec::<Entry<'_>>::from_der(bytes)?;
        let entries = entries
            .iter()
            .map(|entry| (entry.kind as _, Zeroizing::new(entry.value.as_bytes().to_vec())));
        Self::from_template(entries)
    }
}

#[derive(Sequence)]
struct Entry<'a> {
    kind: u64,
    value: &'a OctetStringRef,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_through_der() {
        let mut attributes = Attributes::default();
        attributes.set_number(CKA_CLASS, 3);
        attributes.set_flag(1, true);
        attributes.set(0x8000_0001, b"");
        attributes.set(0x11, [7; 300]);
        let der = attributes.to_der().unwrap();
        assert!(Attributes::from_der(&der).unwrap() == attributes);
        assert!(Attributes::from_der(&der[..der.len() - 1]).is_err());
        assert!(Attributes::from_template([(1, vec![1].into()), (1, vec![0].into())]).is_err());
    }
}
