//! The body of an answer: that of the service inside, or a stream of changes.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::stream::ChangeStream;

pin_project! {
    /// The body of an answer where changes are told.
    #[derive(Debug)]
    pub struct EndpointBody<R> {
        #[pin]
        content: Content<R>,
    }
}

pin_project! {
    #[project = ContentNow]
    #[derive(Debug)]
    enum Content<R> {
        // Of the service inside, or made of bytes.
        Whole { #[pin] body: R },
        Changes { stream: ChangeStream },
    }
}

impl<R> EndpointBody<R> {
    pub(crate) const fn whole(body: R) -> Self {
        Self { content: Content::Whole { body } }
    }

    pub(crate) const fn changes(stream: ChangeStream) -> Self {
        Self { content: Content::Changes { stream } }
    }
}

impl<R: Body<Data = Bytes>> Body for EndpointBody<R> {
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        match self.project().content.project() {
            ContentNow::Whole { body } => body.poll_frame(cx),
            ContentNow::Changes { stream } => stream.poll_next(cx).map(|next| Some(Ok(Frame::data(next?)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole { body } => body.is_end_stream(),
            Content::Changes { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole { body } => body.size_hint(),
            Content::Changes { .. } => SizeHint::default(),
        }
    }
}
