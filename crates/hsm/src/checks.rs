//! How much a device is believed.

/// Which signatures of a device's SM2 key are verified here before they are given out.
///
/// A verification costs about 20 µs of this processor, and is what finds a wrong profile, another
/// key under the same name, a device that computes wrongly or is made to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Checks {
    /// The key signs a fixed text when it is opened, and that signature and every later one is
    /// verified.
    #[default]
    Always,
    /// The key signs a fixed text when it is opened, and that signature is verified, as is the first
    /// one of each connection after it; the others are only decoded. For devices that are trusted
    /// and must be fast.
    AtOpening,
    /// Nothing is signed when the key is opened, where each use of a key is counted or has to be
    /// approved; every signature is verified. The first mechanism of the profile that the device
    /// has is the one that is used. Until then nothing proves that the public key, which is what the
    /// token has under this name, is the private one's; two of them are refused.
    AtSigning,
}

impl Checks {
    /// The names that a URI has for them.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "always" => Some(Self::Always),
            "opening" => Some(Self::AtOpening),
            "signing" => Some(Self::AtSigning),
            _ => None,
        }
    }
}
