//! Records as OpenTelemetry's logs: the messages of `opentelemetry/proto/logs/v1` and
//! `opentelemetry/proto/collector/logs/v1`, as far as they are used.

use prost::Message;

use crate::{Error, event::Verdict, sink::message::event};

/// Severities (`SeverityNumber`): what was done is informational; what was not is a warning.
const INFO: (i32, &str) = (9, "INFO");
const WARN: (i32, &str) = (13, "WARN");

#[derive(Clone, PartialEq, Message)]
pub(super) struct ExportLogsServiceRequest {
    #[prost(message, repeated, tag = "1")]
    resource_logs: Vec<ResourceLogs>,
}

#[derive(Clone, PartialEq, Message)]
struct ResourceLogs {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_logs: Vec<ScopeLogs>,
}

#[derive(Clone, PartialEq, Message)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct ScopeLogs {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    log_records: Vec<LogRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Clone, PartialEq, Message)]
struct LogRecord {
    #[prost(fixed64, tag = "1")]
    time_unix_nano: u64,
    #[prost(int32, tag = "2")]
    severity_number: i32,
    #[prost(string, tag = "3")]
    severity_text: String,
    #[prost(message, optional, tag = "5")]
    body: Option<AnyValue>,
    #[prost(message, repeated, tag = "6")]
    attributes: Vec<KeyValue>,
    #[prost(fixed32, tag = "8")]
    flags: u32,
    #[prost(bytes = "vec", tag = "9")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "10")]
    span_id: Vec<u8>,
    #[prost(fixed64, tag = "11")]
    observed_time_unix_nano: u64,
    #[prost(string, tag = "12")]
    event_name: String,
}

#[derive(Clone, PartialEq, Message)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message)]
struct AnyValue {
    #[prost(oneof = "Value", tags = "1, 3")]
    value: Option<Value>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Value {
    #[prost(string, tag = "1")]
    String(String),
    #[prost(int64, tag = "3")]
    Int(i64),
}

/// What a collector answers.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ExportLogsServiceResponse {
    #[prost(message, optional, tag = "1")]
    pub(super) partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PartialSuccess {
    #[prost(int64, tag = "1")]
    pub(super) rejected_log_records: i64,
    #[prost(string, tag = "2")]
    pub(super) error_message: String,
}

/// The request for records, the first of which has the index `first`.
pub(super) fn request(
    origin: &str,
    host: &str,
    first: u64,
    records: &[Vec<u8>],
) -> Result<Vec<u8>, Error> {
    let records = records.iter().zip(first..);
    let log_records: Vec<_> =
        records.map(|(record, index)| log_record(record, index)).collect::<Result<_, _>>()?;
    let scope =
        Scope { name: "gmkit.audit".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    let attributes = vec![
        attribute("service.name", Value::String("gmkit-audit".to_owned())),
        attribute("service.instance.id", Value::String(origin.to_owned())),
        attribute("host.name", Value::String(host.to_owned())),
    ];
    let logs = ResourceLogs {
        resource: Some(Resource { attributes }),
        scope_logs: vec![ScopeLogs { scope: Some(scope), log_records }],
    };
    Ok(ExportLogsServiceRequest { resource_logs: vec![logs] }.encode_to_vec())
}

fn log_record(record: &[u8], index: u64) -> Result<LogRecord, Error> {
    let event = event(record, index)?;
    let (severity_number, severity_text) = match event.result.outcome {
        Verdict::Allowed => INFO,
        _ => WARN,
    };
    // An event's time may be any that RFC 3339 can tell, and 0 is "unknown".
    let time = u64::try_from(event.time.unix_timestamp_nanos()).unwrap_or(0);
    let trace = event.trace.as_ref().map(|trace| trace.ids()).unwrap_or_default();
    Ok(LogRecord {
        time_unix_nano: time,
        observed_time_unix_nano: time,
        severity_number,
        severity_text: severity_text.to_owned(),
        body: Some(AnyValue {
            value: Some(Value::String(String::from_utf8_lossy(record).into_owned())),
        }),
        attributes: vec![
            attribute("gmkit.audit.index", Value::Int(index.cast_signed())),
            attribute("gmkit.audit.event_id", Value::String(event.event_id.to_string())),
        ],
        flags: trace.2,
        trace_id: trace.0,
        span_id: trace.1,
        event_name: event.op_type,
    })
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }) }
}
