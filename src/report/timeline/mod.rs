//! When the parts of a response arrived, as a picture. Pure.

mod html;
mod marks;
mod picture;
mod recorded;
mod svg;
mod words;

pub(crate) use picture::PictureFormat;
pub(crate) use recorded::Timeline;
