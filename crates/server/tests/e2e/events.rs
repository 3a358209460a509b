mod account;
mod books;
mod endpoint;
mod python;
