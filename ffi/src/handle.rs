//! Opaque handles. Each knows its type and whether it has been freed, as far as that can be told
//! without luck: callers from Python or Java have nothing but untyped pointers.

/// What a handle of one type holds.
pub(crate) trait Kind {
    /// Tells this type's handles from others and from most other memory.
    const TAG: u64;
    /// The value inside, which cleans up its secrets when it is dropped. Handles move between
    /// threads.
    type Value: Send;
}

/// What an opaque pointer in C points to.
#[repr(C)]
pub struct Handle<K: Kind> {
    /// [`Kind::TAG`]; [`busy`] while a function changes the value.
    pub(crate) tag: u64,
    pub(crate) value: K::Value,
}

impl<K: Kind> Handle<K> {
    pub(crate) fn new(value: K::Value) -> Self {
        Self { tag: K::TAG, value }
    }
}

/// The tag of a handle that a function is changing. It stays when that function panics, so that
/// nothing can be done with a value that is half changed, except to free it.
pub(crate) const fn busy(tag: u64) -> u64 {
    !tag
}

/// FNV-1a of a type's name: different types, different tags.
pub(crate) const fn tag(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    hash
}

/// Declares a module's opaque handles: `handles! { /// doc  struct gmkit_sm3(Sm3); }`.
macro_rules! handles {
    ($($(#[$attribute:meta])* struct $name:ident($value:ty);)+) => {
        $(
            $(#[$attribute])*
            pub type $name = crate::handle::Handle<kind::$name>;

            impl crate::handle::Kind for kind::$name {
                const TAG: u64 = crate::handle::tag(stringify!($name));
                type Value = $value;
            }
        )+

        mod kind {
            $(
                /// The type of the handle, which has no value of its own.
                pub enum $name {}
            )+
        }
    };
}
pub(crate) use handles;
