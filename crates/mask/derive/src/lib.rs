//! `#[derive(Mask)]`: see `Mask` in `gmkit-mask`.

mod attributes;
mod expand;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes a struct one whose fields say what of them is shown: `Mask`, and with it masked `Serialize` and `Debug`.
#[proc_macro_derive(Mask, attributes(mask))]
pub fn derive_mask(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
