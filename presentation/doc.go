// Package presentation turns whatever somebody presents into what can be
// judged: a sealed file, a PDF with credentials attached, a badge picture, a
// photo of a QR, an archive of these, or a text. It looks at what a file holds
// and never at its name, opens no address and does nothing but compute.
//
//	items := presentation.NewReader("https://attestati.example.org").Read(ctx, files...)
//	answers, err := presentation.Check(ctx, items, judge)
//
// What a page of a PDF or a picture shows to the eye is never taken for what a
// credential says: a file yields sealed bytes, which a verifier judges, or where
// a QR leads, or why it yields nothing.
package presentation
