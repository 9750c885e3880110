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
    /// One that is a text in JSON.
    pub(crate) is_scalar: bool,
    /// A `google.protobuf.Value`, in which something must be: null is.
    pub(crate) has_null: bool,
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
    /// Its names, if it has another one in JSON.
    pub(crate) name: String,
    /// As rules compare them: in JSON, and in its message.
    pub(crate) json: String,
    pub(crate) own: String,
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
    Unsigned64,
    Unsigned32,
    Signed64,
    Signed32,
    Zigzag64,
    Zigzag32,
    Fixed64,
    SignedFixed64,
    Double,
    Fixed32,
    SignedFixed32,
    Float,
    Bool,
    /// One of some, which is no number in itself.
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

const SCALARS: [&str; 3] =
    ["google.protobuf.Duration", "google.protobuf.FieldMask", "google.protobuf.Timestamp"];

/// A message that has its place, and none of its fields.
struct Declared<'t> {
    index: usize,
    own: &'t DescriptorProto,
    /// What stands before the names of what is in it.
    inner: String,
}

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
            for own in &file.message_type {
                this.declare(&package, own, &mut found)?;
            }
        }
        for Declared { index, own, .. } in &found {
            let fields = own.field.iter().map(|field| this.field(field));
            this.messages[*index].fields = fields.collect::<Result<_, Error>>()?;
        }
        for Declared { own, inner, .. } in &found {
            this.extensions(inner, &own.extension)?;
        }
        for file in &set.file {
            this.extensions(&prefix(file.package()), &file.extension)?;
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
        found: &mut Vec<Declared<'t>>,
    ) -> Result<(), Error> {
        let name = format!("{package}{}", own.name());
        let form = match &*name {
            _ if own.options.as_ref().is_some_and(|options| options.map_entry()) => Form::Entry,
            "google.protobuf.Any" => Form::Any,
            name if VALUES.iter().any(|own| name.strip_prefix("google.protobuf.") == Some(own)) => {
                Form::Value
            }
            _ => Form::Object,
        };
        if own.options.as_ref().is_some_and(|options| options.message_set_wire_format()) {
            return Err(malformed("message sets, which are not known here"));
        }
        let inner = prefix(&name);
        found.push(Declared { index: self.messages.len(), own, inner: inner.clone() });
        let has_null = name == "google.protobuf.Value";
        let is_scalar = SCALARS.contains(&&*name);
        if self.by_name.insert(name, self.messages.len()).is_some() {
            return Err(malformed("two messages of one name"));
        }
        self.messages.push(Message { form, is_scalar, has_null, fields: HashMap::new() });
        own.nested_type.iter().try_for_each(|nested| self.declare(&inner, nested, found))
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
            Type::Uint64 => FieldKind::Number(Number::Unsigned64),
            Type::Uint32 => FieldKind::Number(Number::Unsigned32),
            Type::Int64 => FieldKind::Number(Number::Signed64),
            Type::Int32 => FieldKind::Number(Number::Signed32),
            Type::Sint64 => FieldKind::Number(Number::Zigzag64),
            Type::Sint32 => FieldKind::Number(Number::Zigzag32),
            Type::Fixed64 => FieldKind::Number(Number::Fixed64),
            Type::Sfixed64 => FieldKind::Number(Number::SignedFixed64),
            Type::Double => FieldKind::Number(Number::Double),
            Type::Fixed32 => FieldKind::Number(Number::Fixed32),
            Type::Sfixed32 => FieldKind::Number(Number::SignedFixed32),
            Type::Float => FieldKind::Number(Number::Float),
            Type::Bool => FieldKind::Number(Number::Bool),
            Type::Enum => FieldKind::Number(Number::Choice),
        };
        if own.r#type.is_none() {
            return Err(malformed("a field without a type"));
        }
        let number = u32::try_from(own.number()).map_err(|_| malformed("a field's number"))?;
        let (repeated, required) = (own.label() == Label::Repeated, own.label() == Label::Required);
        let json = match own.json_name() {
            "" => own.name(),
            json => json,
        };
        Ok((number, field([own.name(), json], kind, repeated, required)))
    }

    fn extensions(
        &mut self,
        within: &str,
        extensions: &[FieldDescriptorProto],
    ) -> Result<(), Error> {
        for own in extensions {
            let (number, field) = self.field(own)?;
            let mut json = String::new();
            fold_name(&format!("[{within}{}]", own.name()), &mut json);
            let field = Field { json, ..field };
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
                let fields = fields.into_iter().collect();
                let (is_scalar, has_null) = (false, false);
                self.messages.push(Message { form, is_scalar, has_null, fields });
                self.by_name.insert(name.to_owned(), self.messages.len() - 1);
                self.messages.len() - 1
            }
        };
        let one = |number, name, kind| (number, field([name; 2], kind, false, false));
        let fields = vec![one(1, "type_url", FieldKind::Text), one(2, "value", FieldKind::Bytes)];
        let any = FieldKind::Message(add("google.protobuf.Any", Form::Any, fields));
        let fields = vec![
            one(1, "code", FieldKind::Number(Number::Signed32)),
            one(2, "message", FieldKind::Text),
            (3, field(["details"; 2], any, true, false)),
        ];
        add("google.rpc.Status", Form::Object, fields);
    }
}

/// One with these names, in its message and in JSON.
fn field(names: [&str; 2], kind: FieldKind, repeated: bool, required: bool) -> Field {
    let [own, json] = names.map(|name| {
        let mut folded = String::new();
        fold_name(name, &mut folded);
        folded
    });
    let name = if own == json { names[0].to_owned() } else { names.join(" ") };
    Field { name, json, own, kind, repeated, required }
}

fn prefix(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{name}.") }
}

fn malformed(reason: &'static str) -> Error {
    Error::Malformed { offset: 0, reason }
}
