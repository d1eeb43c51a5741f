//! Uploads in parts. Source: S3's documentation of the six operations, and its list of error codes.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use md5::{Digest, Md5};
use quick_xml::escape::escape;

use super::xml::elements;
use super::{NAMESPACE, checksum, forget, see, shown_key};
use crate::clock;
use crate::disk::files::write_private;
use crate::options::ACCOUNT;
use crate::random;
use crate::services::call::Call;
use crate::services::response::{empty, typed};
use crate::wire::date;
use crate::wire::error::{Body, Fault};
use crate::world::bucket::{Object, Part, Upload};

/// The highest number of a part.
const MOST: u32 = 10_000;
/// The smallest part, except the last one, in bytes.
const SMALLEST: u64 = 5 * 1024 * 1024;
/// How many parts or uploads a list has.
const LISTED: usize = 1000;

type Answer = Result<Response<Body>, Fault>;

/// CreateMultipartUpload.
pub(super) fn create(call: &Call, bucket: &str, key: &str) -> Answer {
    let algorithm = call.header("x-amz-checksum-algorithm").map(str::to_lowercase);
    if let Some(algorithm) = &algorithm {
        checksum::sum(algorithm, b"")?;
    }
    let is_crc64 = algorithm.as_deref() == Some("crc64nvme");
    let upload = Upload {
        key: key.to_owned(),
        content_type: call.header("content-type").unwrap_or("binary/octet-stream").to_owned(),
        begun: clock::now(),
        is_full_object: is_crc64 || call.header("x-amz-checksum-type") == Some("FULL_OBJECT"),
        algorithm: algorithm.clone(),
        parts: BTreeMap::new(),
    };
    let id = random::uuid().replace('-', "");
    call.change(|world| {
        world.bucket_mut(bucket)?.uploads.insert(id.clone(), upload);
        Ok(())
    })?;
    let text = format!("<Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>", escape(bucket), escape(key));
    let mut answer = document("InitiateMultipartUploadResult", &text);
    if let Some(algorithm) = algorithm {
        set(&mut answer, "x-amz-checksum-algorithm", &algorithm.to_uppercase());
    }
    Ok(answer)
}

/// ListMultipartUploads.
pub(super) fn list(call: &Call, bucket: &str) -> Answer {
    let prefix = call.query("prefix").unwrap_or_default();
    let is_encoded = call.query("encoding-type").as_deref() == Some("url");
    see(call, bucket, |found| {
        let uploads = found.uploads.iter().filter(|(_, upload)| upload.key.starts_with(&prefix));
        let mut uploads: Vec<_> = uploads.collect();
        uploads.sort_by_key(|(_, upload)| (upload.key.clone(), upload.begun));
        let owner = format!("<ID>{ACCOUNT}</ID><DisplayName>local</DisplayName>");
        let rows = uploads.iter().take(LISTED).map(|(id, upload)| {
            format!(
                "<Upload><Key>{}</Key><UploadId>{id}</UploadId><Initiator>{owner}</Initiator><Owner>{owner}</Owner>\
                 <StorageClass>STANDARD</StorageClass><Initiated>{}</Initiated>{}</Upload>",
                shown_key(&upload.key, is_encoded),
                date::log(upload.begun),
                algorithm(upload)
            )
        });
        let (shown, is_cut) = (rows.collect::<String>(), uploads.len() > LISTED);
        let text = format!(
            "<Bucket>{}</Bucket><Prefix>{}</Prefix><MaxUploads>{LISTED}</MaxUploads><IsTruncated>{is_cut}</IsTruncated>{}{shown}",
            escape(bucket),
            shown_key(&prefix, is_encoded),
            if is_encoded { "<EncodingType>url</EncodingType>" } else { "" }
        );
        Ok(document("ListMultipartUploadsResult", &text))
    })
}

/// The operations on one upload.
pub(super) fn on_upload(call: &Call, bucket: &str, key: &str, id: &str) -> Answer {
    match call.parts.method.as_str() {
        "PUT" => put(call, bucket, key, id),
        "GET" => parts(call, bucket, key, id),
        "POST" => complete(call, bucket, key, id),
        "DELETE" => abort(call, bucket, key, id),
        method => Err(Fault::new(405, "MethodNotAllowed", format!("{method} is not allowed against this resource."))),
    }
}

/// UploadPart.
fn put(call: &Call, bucket: &str, key: &str, id: &str) -> Answer {
    let number =
        call.query("partNumber").and_then(|number| number.parse().ok()).filter(|number| (1..=MOST).contains(number));
    let Some(number) = number else {
        let message = format!("Part number must be an integer between 1 and {MOST}, inclusive");
        return Err(Fault::new(400, "InvalidArgument", message));
    };
    let algorithm = call.read(|world| Ok(world.bucket(bucket)?.upload(id, key)?.algorithm.clone()))?;
    let given = checksum::given(call).first().map(|(algorithm, sum)| ((*algorithm).to_owned(), (*sum).to_owned()));
    let is = given.as_ref().map(|(algorithm, _)| algorithm.as_str());
    if let Some(expected) = algorithm.as_deref().filter(|expected| is != Some(expected)) {
        let is = is.unwrap_or("null");
        let message =
            format!("Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {is}");
        return Err(Fault::new(400, "InvalidRequest", message));
    }
    checksum::check(call, false)?;
    let file = random::uuid();
    let path = call.data().objects().join(&file);
    let part = Part {
        file,
        size: call.body.len() as u64,
        etag: hex::encode(Md5::digest(&call.body)),
        checksum: given.clone().filter(|_| algorithm.is_some()).map(|(_, sum)| sum),
        modified: clock::now(),
    };
    let etag = part.etag.clone();
    let replaced = call.change(|world| {
        let parts = &mut world.bucket_mut(bucket)?.upload_mut(id, key)?.parts;
        // Not before: if the upload has been aborted in the meantime, nothing is left of it, not even for a moment.
        write_private(&path, &call.body).map_err(Fault::unwritten)?;
        Ok(parts.insert(number, part))
    });
    remove(call, replaced.inspect_err(|_| drop(std::fs::remove_file(path)))?);
    let mut answer = empty(StatusCode::OK);
    set(&mut answer, header::ETAG.as_str(), &format!("\"{etag}\""));
    if let Some((algorithm, sum)) = given {
        set(&mut answer, &format!("x-amz-checksum-{algorithm}"), &sum);
    }
    Ok(answer)
}

/// ListParts.
fn parts(call: &Call, bucket: &str, key: &str, id: &str) -> Answer {
    let number = |name: &str| call.query(name).and_then(|number| number.parse::<u32>().ok());
    let (most, after) = (number("max-parts").unwrap_or(1000).min(1000) as usize, number("part-number-marker"));
    let upload = call.read(|world| world.bucket(bucket)?.upload(id, key).cloned())?;
    let listed: Vec<_> = upload.parts.iter().filter(|(number, _)| after.is_none_or(|after| **number > after)).collect();
    let rows: String = listed.iter().take(most).map(|(number, part)| row(&upload, **number, part)).collect();
    let next = listed.get(..most).filter(|_| listed.len() > most).and_then(|shown| shown.last());
    let next = next.map(|(number, _)| format!("<NextPartNumberMarker>{number}</NextPartNumberMarker>"));
    let text = format!(
        "<Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId><PartNumberMarker>{}</PartNumberMarker>{}\
         <MaxParts>{most}</MaxParts><IsTruncated>{}</IsTruncated><StorageClass>STANDARD</StorageClass>{}{rows}",
        escape(bucket),
        escape(key),
        after.unwrap_or_default(),
        next.clone().unwrap_or_default(),
        next.is_some(),
        algorithm(&upload)
    );
    Ok(document("ListPartsResult", &text))
}

fn row(upload: &Upload, number: u32, part: &Part) -> String {
    let sum = upload.algorithm.as_deref().zip(part.checksum.as_deref());
    let sum = sum.map(|(algorithm, sum)| element_of(algorithm, sum)).unwrap_or_default();
    format!(
        "<Part><PartNumber>{number}</PartNumber><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag>\
         <Size>{}</Size>{sum}</Part>",
        date::log(part.modified),
        part.etag,
        part.size
    )
}

/// CompleteMultipartUpload.
fn complete(call: &Call, bucket: &str, key: &str, id: &str) -> Answer {
    let upload = call.read(|world| world.bucket(bucket)?.upload(id, key).cloned())?;
    let chosen = chosen(&upload, &call.body)?;
    let sum = whole_sum(call, &upload, &chosen)?;
    let mut md5 = Md5::new();
    chosen.iter().for_each(|part| md5.update(hex::decode(&part.etag).unwrap_or_default()));
    let etag = format!("\"{}-{}\"", hex::encode(md5.finalize()), chosen.len());
    let file = random::uuid();
    let path = call.data().objects().join(&file);
    let files: Vec<_> = chosen.iter().map(|part| call.data().objects().join(&part.file)).collect();
    join(&files, &path).map_err(|error| {
        let _ = std::fs::remove_file(&path);
        Fault::unwritten(anyhow::Error::new(error).context(format!("cannot write `{}`", path.display())))
    })?;
    let object = Object {
        file,
        size: chosen.iter().map(|part| part.size).sum(),
        etag: etag.clone(),
        content_type: upload.content_type.clone(),
        modified: clock::now(),
        checksum: upload.algorithm.clone().zip(sum.clone()),
    };
    let ended = call.change(|world| {
        let found = world.bucket_mut(bucket)?;
        // Another request may have ended it meanwhile.
        found.upload(id, key)?;
        let upload = found.uploads.remove(id);
        Ok((upload, found.objects.insert(key.to_owned(), object)))
    });
    let (ended, replaced) = ended.inspect_err(|_| drop(std::fs::remove_file(&path)))?;
    forget(call, replaced);
    remove(call, ended.into_iter().flat_map(|upload| upload.parts.into_values()));
    let sum = upload.algorithm.as_deref().zip(sum.as_deref());
    let kind = if upload.is_full_object { "FULL_OBJECT" } else { "COMPOSITE" };
    let sum = sum.map(|(name, sum)| element_of(name, sum) + &format!("<ChecksumType>{kind}</ChecksumType>"));
    let host = call.header("host").unwrap_or_default();
    let text = format!(
        "<Location>http://{host}/{}/{}</Location><Bucket>{0}</Bucket><Key>{1}</Key><ETag>{}</ETag>{}",
        escape(bucket),
        escape(key),
        escape(&etag),
        sum.unwrap_or_default()
    );
    Ok(document("CompleteMultipartUploadResult", &text))
}

/// The parts that a request names.
///
/// # Errors
/// S3's own if they are not the upload's, not in order, or too small.
fn chosen<'u>(upload: &'u Upload, body: &[u8]) -> Result<Vec<&'u Part>, Fault> {
    let wanted: Vec<Wanted> = wanted(upload, body);
    if wanted.is_empty() {
        let message = "The XML you provided was not well-formed or did not validate against our published schema";
        return Err(Fault::new(400, "MalformedXML", message));
    }
    if !wanted.is_sorted_by(|one, next| one.number < next.number) {
        let message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
        return Err(Fault::new(400, "InvalidPartOrder", message));
    }
    let invalid = || {
        let message = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
                       specified entity tag may not match the part's entity tag.";
        Fault::new(400, "InvalidPart", message)
    };
    let mut chosen = Vec::new();
    for part in &wanted {
        let found = upload.parts.get(&part.number).filter(|found| found.etag == part.etag.trim_matches('"'));
        let found = found.ok_or_else(invalid)?;
        match (&upload.algorithm, &part.checksum) {
            (Some(algorithm), None) if !upload.is_full_object => {
                let message = format!(
                    "The upload was created using a {algorithm} checksum. The complete request must include the checksum for \
                     each part. It was missing for part {} in the request.",
                    part.number
                );
                return Err(Fault::new(400, "InvalidRequest", message));
            }
            (Some(_), Some(_)) if found.checksum != part.checksum => return Err(invalid()),
            _ => chosen.push(found),
        }
    }
    match chosen.split_last().is_some_and(|(_, others)| others.iter().any(|part| part.size < SMALLEST)) {
        true => Err(Fault::new(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")),
        false => Ok(chosen),
    }
}

/// A part that a request names.
struct Wanted {
    number: u32,
    etag: String,
    checksum: Option<String>,
}

fn wanted(upload: &Upload, body: &[u8]) -> Vec<Wanted> {
    let text = String::from_utf8_lossy(body);
    let parts = text.split("</Part>").filter(|part| part.contains("<PartNumber>"));
    let part = |part: &str| {
        let one = |name: &str| elements(part.as_bytes(), name).pop();
        let sum = upload.algorithm.as_deref().and_then(|algorithm| one(&member_of(algorithm)));
        Some(Wanted { number: one("PartNumber")?.parse().ok()?, etag: one("ETag")?, checksum: sum })
    };
    parts.filter_map(part).collect()
}

/// The checksum of the whole object, in base64.
fn whole_sum(call: &Call, upload: &Upload, parts: &[&Part]) -> Result<Option<String>, Fault> {
    let Some(algorithm) = &upload.algorithm else { return Ok(None) };
    if !upload.is_full_object {
        let sums = parts.iter().filter_map(|part| STANDARD.decode(part.checksum.as_ref()?).ok());
        let sum = checksum::sum(algorithm, &sums.flatten().collect::<Vec<u8>>())?;
        return Ok(Some(format!("{}-{}", STANDARD.encode(sum), parts.len())));
    }
    let mut whole = Vec::new();
    for part in parts {
        whole.extend(std::fs::read(call.data().objects().join(&part.file)).map_err(Fault::internal)?);
    }
    let sum = STANDARD.encode(checksum::sum(algorithm, &whole)?);
    match checksum::given(call).first() {
        Some((_, given)) if *given != sum => {
            let message =
                format!("The {} you specified did not match the calculated checksum.", algorithm.to_uppercase());
            Err(Fault::new(400, "BadDigest", message))
        }
        _ => Ok(Some(sum)),
    }
}

/// AbortMultipartUpload.
fn abort(call: &Call, bucket: &str, key: &str, id: &str) -> Answer {
    let ended = call.change(|world| {
        let found = world.bucket_mut(bucket)?;
        found.upload(id, key)?;
        Ok(found.uploads.remove(id))
    })?;
    remove(call, ended.into_iter().flat_map(|upload| upload.parts.into_values()));
    Ok(empty(StatusCode::NO_CONTENT))
}

/// Writes files one after the other into a new one.
fn join(parts: &[impl AsRef<Path>], path: &Path) -> io::Result<()> {
    let mut whole = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    for part in parts {
        io::copy(&mut File::open(part)?, &mut whole)?;
    }
    whole.sync_all()
}

fn remove(call: &Call, parts: impl IntoIterator<Item = Part>) {
    for part in parts {
        let _ = std::fs::remove_file(call.data().objects().join(part.file));
    }
}

/// The element that tells an upload's kind of checksum.
fn algorithm(upload: &Upload) -> String {
    let kind = if upload.is_full_object { "FULL_OBJECT" } else { "COMPOSITE" };
    let element = |algorithm: &String| {
        let algorithm = algorithm.to_uppercase();
        format!("<ChecksumAlgorithm>{algorithm}</ChecksumAlgorithm><ChecksumType>{kind}</ChecksumType>")
    };
    upload.algorithm.as_ref().map(element).unwrap_or_default()
}

/// The name of the element with a checksum.
fn member_of(algorithm: &str) -> String {
    format!("Checksum{}", algorithm.to_uppercase())
}

fn element_of(algorithm: &str, sum: &str) -> String {
    let name = member_of(algorithm);
    format!("<{name}>{sum}</{name}>")
}

fn document(name: &str, text: &str) -> Response<Body> {
    typed(format!("<{name} xmlns=\"{NAMESPACE}\">{text}</{name}>"), "application/xml")
}

fn set(answer: &mut Response<Body>, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
        answer.headers_mut().insert(name, value);
    }
}
