//! What the CPU has. A token can only be had by asking the CPU, and a kernel demands its token: so no
//! kernel runs where its instructions do not exist. The answer is remembered.

/// Defines a token. `$also` is asked for whatever the list of features leaves out.
macro_rules! token {
    ($(#[$doc:meta])* $name:ident in $module:ident: $($feature:tt),+; $also:expr) => {
        cpufeatures::new!($module, $($feature),+);

        $(#[$doc])*
        pub(super) struct $name(());

        impl $name {
            pub(super) fn detect() -> Option<&'static Self> {
                ($module::get() && $also).then_some(&Self(()))
            }
        }
    };
}

pub(super) use token;
