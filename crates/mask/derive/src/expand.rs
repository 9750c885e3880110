//! What is made of a struct.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Ident, Path, Result, Type};

use crate::attributes::{Container, How, Shown, Strategy};

struct Member<'t> {
    own: &'t Ident,
    name: String,
    of: &'t Type,
    how: How,
}

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let refuse = || Err(Error::new(input.ident.span(), "Mask is for structs with named fields"));
    let Data::Struct(data) = &input.data else { return refuse() };
    let Fields::Named(fields) = &data.fields else { return refuse() };
    let container = Container::new(&input.attrs)?;
    let member = |field| -> Result<Member<'_>> {
        let shown = Shown::new(field)?;
        let own = field.ident.as_ref().ok_or_else(|| Error::new_spanned(field, "a name"))?;
        Ok(Member { own, name: container.name_of(own, &shown), of: &field.ty, how: shown.how })
    };
    let members = fields.named.iter().map(member).collect::<Result<Vec<_>>>()?;
    let root = &container.root;
    let parts = [
        mask(input, root, &members),
        serialize(input, root, &members),
        debug(input, root, &members),
    ];
    Ok(parts.into_iter().collect())
}

/// An implementation of a trait, for which the fields' types have to be something.
fn implementation(
    input: &DeriveInput,
    of: &TokenStream,
    bounds: Vec<TokenStream>,
    body: &TokenStream,
) -> TokenStream {
    let (own, types, clause) = input.generics.split_for_impl();
    let name = &input.ident;
    let given = clause.map(|clause| &clause.predicates).into_iter();
    quote! {
        #[automatically_derived]
        impl #own #of for #name #types where #(#given,)* #(#bounds,)* { #body }
    }
}

fn mask(input: &DeriveInput, root: &Path, members: &[Member<'_>]) -> TokenStream {
    let derived = quote!(#root::derived);
    let rules = members.iter().filter_map(|Member { name, of, how, .. }| match how {
        How::Clear => None,
        How::Nested => Some(quote! {
            rules.extend(<#of as #root::Mask>::rules(&#derived::step(at, #name)));
        }),
        How::Masked { kind, strategy } => {
            let (kind, strategy) = (self::kind(root, kind.as_ref()), self::strategy(root, strategy));
            Some(quote! { rules.push(#root::MaskRule::new(#derived::step(at, #name), #kind, #strategy)); })
        }
    });
    let properties = members.iter().filter_map(|Member { name, of, how, .. }| {
        let schema = match how {
            How::Clear => quote!(#derived::anything()),
            How::Nested => quote!(<#of as #root::Mask>::schema()),
            How::Masked { strategy: Strategy::Drop, .. } => return None,
            How::Masked { kind, strategy } => {
                let (kind, strategy) =
                    (self::kind(root, kind.as_ref()), self::strategy(root, strategy));
                quote!(<#of as #root::Maskable>::schema(#derived::schema(#kind, &#strategy)))
            }
        };
        Some(quote!((#name, #schema)))
    });
    let bounds = members.iter().filter_map(|Member { of, how, .. }| match how {
        How::Clear => None,
        How::Nested => Some(quote!(#of: #root::Mask)),
        How::Masked { .. } => Some(quote!(#of: #root::Maskable)),
    });
    let bounds = bounds.collect();
    let body = quote! {
        fn rules(at: &str) -> ::std::vec::Vec<#root::MaskRule> {
            let mut rules = ::std::vec::Vec::new();
            #(#rules)*
            rules
        }

        fn schema() -> #derived::Value {
            #derived::object([#(#properties),*])
        }
    };
    implementation(input, &quote!(#root::Mask), bounds, &body)
}

/// What is shown of a member; `None` for one that is not.
fn shown(root: &Path, Member { own, how, .. }: &Member<'_>) -> Option<TokenStream> {
    match how {
        How::Clear | How::Nested => Some(quote!(&self.#own)),
        How::Masked { strategy: Strategy::Drop, .. } => None,
        How::Masked { kind, strategy } => {
            let (kind, strategy) =
                (self::kind(root, kind.as_ref()), self::strategy(root, strategy));
            Some(quote!(&#root::Maskable::masked(&self.#own, #kind, &#strategy)))
        }
    }
}

fn bounds(members: &[Member<'_>], root: &Path, of_shown: &TokenStream) -> Vec<TokenStream> {
    let bound = |Member { of, how, .. }: &Member<'_>| match how {
        How::Clear | How::Nested => quote!(#of: #of_shown),
        How::Masked { .. } => quote!(#of: #root::Maskable),
    };
    members.iter().map(bound).collect()
}

fn serialize(input: &DeriveInput, root: &Path, members: &[Member<'_>]) -> TokenStream {
    let serde = quote!(#root::derived::serde);
    let fields = members.iter().filter_map(|member| {
        let (name, shown) = (&member.name, shown(root, member)?);
        Some(quote! { #serde::ser::SerializeStruct::serialize_field(&mut fields, #name, #shown)?; })
    });
    let fields: Vec<_> = fields.collect();
    let (name, count) = (input.ident.to_string(), fields.len());
    // What is dropped is read nowhere else.
    let all = members.iter().map(|member| member.own);
    let body = quote! {
        fn serialize<S: #serde::Serializer>(&self, to: S) -> ::core::result::Result<S::Ok, S::Error> {
            let mut fields = #serde::Serializer::serialize_struct(to, #name, #count)?;
            #(let _ = &self.#all;)*
            #(#fields)*
            #serde::ser::SerializeStruct::end(fields)
        }
    };
    let bounds = bounds(members, root, &quote!(#serde::Serialize));
    implementation(input, &quote!(#serde::Serialize), bounds, &body)
}

fn debug(input: &DeriveInput, root: &Path, members: &[Member<'_>]) -> TokenStream {
    let fields = members.iter().filter_map(|member| {
        let name = member.own.to_string();
        let (name, shown) = (name.trim_start_matches("r#").to_owned(), shown(root, member)?);
        Some(quote! { .field(#name, #shown) })
    });
    let name = input.ident.to_string();
    let body = quote! {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            f.debug_struct(#name) #(#fields)* .finish()
        }
    };
    let bounds = bounds(members, root, &quote!(::core::fmt::Debug));
    implementation(input, &quote!(::core::fmt::Debug), bounds, &body)
}

fn kind(root: &Path, kind: Option<&Ident>) -> TokenStream {
    match kind {
        Some(kind) => quote!(::core::option::Option::Some(#root::Kind::#kind)),
        None => quote!(::core::option::Option::None),
    }
}

fn strategy(root: &Path, strategy: &Strategy) -> TokenStream {
    match strategy {
        Strategy::Strict => quote!(#root::Strategy::Mask(#root::Style::Strict)),
        Strategy::Usual => quote!(#root::Strategy::Mask(#root::Style::Usual)),
        Strategy::Nullify => quote!(#root::Strategy::Nullify),
        Strategy::Drop => quote!(#root::Strategy::Drop),
        Strategy::Truncate(most) => quote!(#root::Strategy::Truncate(#most)),
        Strategy::Generalise(step) => quote!(#root::Strategy::Generalise(#step)),
    }
}
