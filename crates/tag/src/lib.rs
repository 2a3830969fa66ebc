//! What is read from and written on one request and one answer.
