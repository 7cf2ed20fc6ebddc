// Package dicom reads ultrasound pictures from DICOM files and writes synthetic
// elastograms as DICOM. It owns the file structure (transfer syntaxes, frames,
// ultrasound regions), the way from stored samples to 8-bit grey or RGB, the
// two outputs (secondary capture, parametric map) and de-identification. It
// never looks at what a picture shows: layout, colour bars and stiffness are
// package scan's.
//
// Nothing that names a patient leaves it. An Image exposes only technical
// attributes; the identity behind it comes out as keyed pseudonyms
// (Image.Deidentify) from an allow-list: what the list does not name is dropped.
//
// A file is hostile until proven otherwise. A walk over element headers
// (walk.go) checks every length against the file before a byte is allocated,
// and hands only the few wanted elements to the DICOM library; pixel data stay
// in the file until a frame is asked for. The limits are the constants of
// limits.go.
//
// Tags, value representations and annexes are cited from the DICOM standard,
// PS3.3 (information objects), PS3.5 (encoding) and PS3.15 (confidentiality).
//
// Reading order of the code: Open (image.go) is the whole story; walk.go finds
// the elements, header.go reads them, frame.go cuts frames out of the pixel
// data, samples.go decompresses them, colour.go makes grey or RGB of them.
// deidentify.go and key.go keep patients out; capture.go and parametric.go
// write.
package dicom
