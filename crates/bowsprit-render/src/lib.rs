//! Values, chart and engine in; a release out.
