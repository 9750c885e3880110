//! What messages are made of.

use std::collections::HashMap;

use prost::Message as _;
use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

use crate::{Error, policy::fold_name};

/// The messages and methods of services, as `protoc --include_imports --descriptor_set_out` writes them, and the builds
/// of tonic with `file_descriptor_set_path`.
///
/// ```no_run
/// use gmkit_mask::Descriptors;
///
/// let descriptors = Descriptors::decode(&std::fs::read("bank.pb")?)?;
/// assert!(descriptors.has_message("bank.v1.Account"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Descriptors {
    messages: Vec<Message>,
    by_name: HashMap<String, usize>,
    /// What goes in and what comes out, by the path of a method.
    methods: HashMap<String, [usize; 2]>,
}

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) form: Form,
    pub(crate) fields: HashMap<u32, Field>,
}

/// What a message is in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// An object with members.
    Object,
    /// The name of a member, and its value.
    Entry,
    /// Its only member: a wrapper, or a value of any kind.
    Value,
    /// A message of the type that it names.
    Any,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// As rules compare it.
    pub(crate) folded: String,
    pub(crate) kind: FieldKind,
    pub(crate) repeated: bool,
    /// Of version 2: without it the message is none.
    pub(crate) required: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    Text,
    Bytes,
    /// Of this type, which is entries of a map where it has that form.
    Message(usize),
    Number(Number),
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    Unsigned,
    Signed,
    Zigzag,
    Fixed64,
    SignedFixed64,
    Double,
    Fixed32,
    SignedFixed32,
    Float,
    /// True or false, or one of some: no number in itself.
    Choice,
}

/// What stands for its only member in JSON.
const VALUES: [&str; 12] = [
    "BoolValue",
    "BytesValue",
    "DoubleValue",
    "FloatValue",
    "Int32Value",
    "Int64Value",
    "ListValue",
    "StringValue",
    "Struct",
    "UInt32Value",
    "UInt64Value",
    "Value",
];

impl Descriptors {
    /// From a `google.protobuf.FileDescriptorSet`.
    ///
    /// # Errors
    /// [`Error::Malformed`] for what is none, or names types that are not in it.
    pub fn decode(set: &[u8]) -> Result<Self, Error> {
        let set = FileDescriptorSet::decode(set).map_err(|_| malformed("no descriptors"))?;
        let mut this =
            Self { messages: Vec::new(), by_name: HashMap::new(), methods: HashMap::new() };
        let mut found = Vec::new();
        for file in &set.file {
            let package = prefix(file.package());
            file.message_type.iter().for_each(|own| this.declare(&package, own, &mut found));
        }
        for (index, own) in found {
            let fields = own.field.iter().map(|field| this.field(field));
            this.messages[index].fields = fields.collect::<Result<_, Error>>()?;
            this.extensions(&own.extension)?;
        }
        for file in &set.file {
            this.extensions(&file.extension)?;
            this.services(file)?;
        }
        this.add_status();
        Ok(this)
    }

    /// Whether it is one of them, by its full name: `bank.v1.Account`.
    #[must_use]
    pub fn has_message(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn message(&self, index: usize) -> &Message {
        &self.messages[index]
    }

    /// The messages that go in and come out of a method, by its path: `/bank.v1.Accounts/Get`.
    #[cfg(feature = "tower")]
    pub(crate) fn method(&self, path: &str) -> Option<[usize; 2]> {
        self.methods.get(path).copied()
    }

    /// All messages have their place before anything names one.
    fn declare<'t>(
        &mut self,
        package: &str,
        own: &'t DescriptorProto,
        found: &mut Vec<(usize, &'t DescriptorProto)>,
    ) {
        let name = format!("{package}{}", own.name());
        let form = match &*name {
            _ if own.options.as_ref().is_some_and(|options| options.map_entry()) => Form::Entry,
            "google.protobuf.Any" => Form::Any,
            name if VALUES.iter().any(|own| name.strip_prefix("google.protobuf.") == Some(own)) => {
                Form::Value
            }
            _ => Form::Object,
        };
        let inner = prefix(&name);
        found.push((self.messages.len(), own));
        self.by_name.insert(name, self.messages.len());
        self.messages.push(Message { form, fields: HashMap::new() });
        own.nested_type.iter().for_each(|nested| self.declare(&inner, nested, found));
    }

    /// A type, by its full name behind a dot.
    fn named(&self, name: &str) -> Result<usize, Error> {
        let index = name.strip_prefix('.').and_then(|name| self.find(name));
        index.ok_or_else(|| malformed("a type that is not in the descriptors: --include_imports"))
    }

    fn field(&self, own: &FieldDescriptorProto) -> Result<(u32, Field), Error> {
        let kind = match own.r#type() {
            Type::String => FieldKind::Text,
            Type::Bytes => FieldKind::Bytes,
            Type::Message | Type::Group => FieldKind::Message(self.named(own.type_name())?),
            Type::Uint64 | Type::Uint32 => FieldKind::Number(Number::Unsigned),
            Type::Int64 | Type::Int32 => FieldKind::Number(Number::Signed),
            Type::Sint64 | Type::Sint32 => FieldKind::Number(Number::Zigzag),
            Type::Fixed64 => FieldKind::Number(Number::Fixed64),
            Type::Sfixed64 => FieldKind::Number(Number::SignedFixed64),
            Type::Double => FieldKind::Number(Number::Double),
            Type::Fixed32 => FieldKind::Number(Number::Fixed32),
            Type::Sfixed32 => FieldKind::Number(Number::SignedFixed32),
            Type::Float => FieldKind::Number(Number::Float),
            Type::Bool | Type::Enum => FieldKind::Number(Number::Choice),
        };
        let number = u32::try_from(own.number()).map_err(|_| malformed("a field's number"))?;
        let (repeated, required) = (own.label() == Label::Repeated, own.label() == Label::Required);
        Ok((number, field(own.name(), kind, repeated, required)))
    }

    fn extensions(&mut self, extensions: &[FieldDescriptorProto]) -> Result<(), Error> {
        for own in extensions {
            let (number, field) = self.field(own)?;
            let of = self.named(own.extendee())?;
            self.messages[of].fields.insert(number, field);
        }
        Ok(())
    }

    fn services(&mut self, file: &FileDescriptorProto) -> Result<(), Error> {
        for service in &file.service {
            for method in &service.method {
                let service = format!("{}{}", prefix(file.package()), service.name());
                let path = format!("/{service}/{}", method.name());
                let messages =
                    [self.named(method.input_type())?, self.named(method.output_type())?];
                self.methods.insert(path, messages);
            }
        }
        Ok(())
    }

    /// What errors say in detail is a message that few services declare.
    fn add_status(&mut self) {
        let mut add = |name: &str, form, fields: Vec<(u32, Field)>| match self.find(name) {
            Some(index) => index,
            None => {
                self.messages.push(Message { form, fields: fields.into_iter().collect() });
                self.by_name.insert(name.to_owned(), self.messages.len() - 1);
                self.messages.len() - 1
            }
        };
        let one = |number, name, kind| (number, field(name, kind, false, false));
        let fields = vec![one(1, "type_url", FieldKind::Text), one(2, "value", FieldKind::Bytes)];
        let any = FieldKind::Message(add("google.protobuf.Any", Form::Any, fields));
        let fields = vec![
            one(1, "code", FieldKind::Number(Number::Signed)),
            one(2, "message", FieldKind::Text),
            (3, field("details", any, true, false)),
        ];
        add("google.rpc.Status", Form::Object, fields);
    }
}

fn field(name: &str, kind: FieldKind, repeated: bool, required: bool) -> Field {
    let mut folded = String::new();
    fold_name(name, &mut folded);
    Field { name: name.to_owned(), folded, kind, repeated, required }
}

fn prefix(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name}.") }
}

fn malformed(reason: &'static str) -> Error {
    Error::Malformed { offset: 0, reason }
}
