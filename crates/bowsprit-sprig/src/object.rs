//! Tables of methods for the objects that functions return.

/// A method table: `methods![Type, receiver, args; "Name"(params) -> result => value; …]`.
macro_rules! methods {
    ($type:ty, $self:ident, $args:ident;
     $($name:literal($($param:expr),*) -> $result:expr => $body:expr;)*) => {
        &[$(bowsprit_value::Method {
            name: $name,
            params: &[$($param),*],
            variadic: false,
            result: $result,
            call: |receiver, $args| {
                let _ = &$args;
                match receiver.downcast::<$type>() {
                    Some($self) => Ok($body),
                    None => Err(bowsprit_value::FuncError::new("method called on another type")),
                }
            },
        }),*]
    };
}
pub(crate) use methods;
