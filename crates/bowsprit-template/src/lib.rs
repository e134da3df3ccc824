//! Go text/template: lexer, parser, compiler, VM and builtins.
