//! `ffi/include/gmkit.h`, generated from the `export!`, `handles!`, constants and error codes of
//! the crate `gmkit-ffi`. cbindgen does not look into macros, so it is given their content as
//! plain Rust; the argument types of `ffi/src/pointer.rs` become the pointers that they are.

use std::{fs, path::PathBuf};

use quote::{ToTokens, quote};
use syn::{
    Attribute, Block, Ident, Item, ItemStruct, Token, Type,
    parse::{Parse, ParseStream},
    parse_quote,
    punctuated::Punctuated,
};

use crate::run::{self, Result};

fn path() -> PathBuf {
    run::root().join("ffi/include/gmkit.h")
}

/// Writes the header.
pub(crate) fn write() -> Result {
    fs::write(path(), generate()?).map_err(|error| error.to_string())
}

/// Fails when the committed header is not what the source says.
pub(crate) fn check() -> Result {
    let committed = fs::read_to_string(path()).map_err(|error| error.to_string())?;
    if committed == generate()? {
        return Ok(());
    }
    Err("ffi/include/gmkit.h is not current: run `cargo xtask header`".into())
}

/// The names of all functions of the committed header.
pub(crate) fn functions() -> Result<Vec<String>> {
    let text = fs::read_to_string(path()).map_err(|error| error.to_string())?;
    let mut names: Vec<_> = text
        .split("gmkit_")
        .skip(1)
        .filter_map(|rest| rest.split_once('('))
        .map(|(name, _)| name)
        .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
        .map(|name| format!("gmkit_{name}"))
        .collect();
    names.sort();
    names.dedup();
    Ok(names)
}

fn generate() -> Result<String> {
    let source = run::root().join("target/gmkit-header.rs");
    let plain = plain_source()?;
    fs::create_dir_all(run::root().join("target")).map_err(|error| error.to_string())?;
    fs::write(&source, plain.to_token_stream().to_string()).map_err(|error| error.to_string())?;
    let config = cbindgen::Config::from_file(run::root().join("ffi/cbindgen.toml"))?;
    let bindings = cbindgen::Builder::new().with_config(config).with_src(source).generate();
    let mut text = Vec::new();
    bindings.map_err(|error| error.to_string())?.write(&mut text);
    String::from_utf8(text).map_err(|error| error.to_string())
}

/// All that C sees, without macros, in the order of the modules in `lib.rs`.
fn plain_source() -> Result<syn::File> {
    let mut items = Vec::new();
    for item in parse_file("lib.rs")?.items {
        if let Item::Mod(module) = item {
            for item in parse_file(&format!("{}.rs", module.ident))?.items {
                collect(item, &mut items).map_err(|error| format!("{}: {error}", module.ident))?;
            }
        }
    }
    Ok(syn::File { shebang: None, attrs: Vec::new(), items })
}

fn parse_file(name: &str) -> Result<syn::File> {
    let path = run::root().join("ffi/src").join(name);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    syn::parse_file(&text).map_err(|error| format!("{}: {error}", path.display()))
}

fn collect(item: Item, items: &mut Vec<Item>) -> syn::Result<()> {
    match item {
        Item::Const(constant) if constant.ident.to_string().starts_with("GMKIT_") => {
            items.push(Item::Const(constant));
        }
        Item::Enum(error) if error.ident == "gmkit_error" => items.push(Item::Enum(error)),
        Item::Type(function) if function.ident.to_string().starts_with("gmkit_") => {
            items.push(Item::Type(function));
        }
        Item::Struct(mut bytes) if bytes.ident == "gmkit_bytes" => {
            for field in &mut bytes.fields {
                field.ty = pointer(field.ty.clone());
            }
            items.push(Item::Struct(bytes));
        }
        Item::Macro(call) if call.mac.path.is_ident("handles") => {
            for ItemStruct { attrs, ident, .. } in call.mac.parse_body::<Many<ItemStruct>>()?.0 {
                items.push(parse_quote! { #(#attrs)* pub struct #ident { private: Private } });
            }
        }
        Item::Macro(call) if call.mac.path.is_ident("export") => {
            let functions = call.mac.parse_body::<Many<Export>>()?.0;
            items.extend(functions.into_iter().map(Export::plain));
        }
        _ => {}
    }
    Ok(())
}

/// A sequence without separators.
struct Many<T>(Vec<T>);

impl<T: Parse> Parse for Many<T> {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut items = Vec::new();
        while !input.is_empty() {
            items.push(input.parse()?);
        }
        Ok(Self(items))
    }
}

/// One function in `export!`.
struct Export {
    attributes: Vec<Attribute>,
    name: Ident,
    arguments: Vec<(Ident, Type)>,
    result: Returns,
}

enum Returns {
    Error,
    Nothing,
    Value(Box<Type>),
}

impl Parse for Export {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Token![fn]>()?;
        let name = input.parse()?;
        let content;
        syn::parenthesized!(content in input);
        let arguments = Punctuated::<Argument, Token![,]>::parse_terminated(&content)?;
        let result = Returns::parse(input)?;
        input.parse::<Block>()?;
        let arguments = arguments.into_iter().map(|Argument(name, kind)| (name, kind)).collect();
        Ok(Self { attributes, name, arguments, result })
    }
}

struct Argument(Ident, Type);

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok(Self(name, input.parse()?))
    }
}

impl Returns {
    /// Nothing, `= always`, `= void` or `-> Type = on_panic`.
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            let word: Ident = input.parse()?;
            return Ok(if word == "always" { Self::Error } else { Self::Nothing });
        }
        if !input.peek(Token![->]) {
            return Ok(Self::Error);
        }
        input.parse::<Token![->]>()?;
        let value = input.parse()?;
        input.parse::<Token![=]>()?;
        input.parse::<proc_macro2::TokenTree>()?;
        Ok(Self::Value(Box::new(value)))
    }
}

impl Export {
    fn plain(self) -> Item {
        let Self { attributes, name, arguments, result } = self;
        let arguments = arguments.into_iter().map(|(name, kind)| {
            let kind = pointer(kind);
            quote! { #name: #kind }
        });
        let (must_use, result) = match result {
            Returns::Error => (quote! { #[must_use] }, quote! { -> gmkit_error }),
            Returns::Nothing => (quote! {}, quote! {}),
            Returns::Value(value) => (quote! {}, quote! { -> #value }),
        };
        parse_quote! {
            #(#attributes)* #must_use #[no_mangle]
            pub extern "C" fn #name(#(#arguments),*) #result {}
        }
    }
}

/// What an argument type of `ffi/src/pointer.rs` is to C.
fn pointer(kind: Type) -> Type {
    let Type::Path(path) = &kind else {
        return kind;
    };
    let Some(segment) = path.path.segments.last() else {
        return kind;
    };
    let target = match &segment.arguments {
        syn::PathArguments::AngleBracketed(generics) => generics.args.first().cloned(),
        _ => None,
    };
    match segment.ident.to_string().as_str() {
        "In" | "InArray" => parse_quote! { *const u8 },
        "Out" | "OutArray" => parse_quote! { *mut u8 },
        "InMany" => parse_quote! { *const gmkit_bytes },
        "Verdicts" => parse_quote! { *mut i32 },
        "Len" => parse_quote! { *mut usize },
        "Number" => parse_quote! { *mut u64 },
        "Reader" => parse_quote! { gmkit_read },
        "Writer" => parse_quote! { gmkit_write },
        "Context" => parse_quote! { *mut c_void },
        "Text" => parse_quote! { *const c_char },
        "Fd" => parse_quote! { i32 },
        "Ref" => parse_quote! { *const #target },
        "RefMut" | "Owned" => parse_quote! { *mut #target },
        "Slot" => parse_quote! { *mut *mut #target },
        _ => kind,
    }
}
