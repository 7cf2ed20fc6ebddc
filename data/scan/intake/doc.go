// Package intake makes a cohort from exported files: screens (PNG, JPEG, TIFF),
// DICOM and arrays listed in a CSV table.
//
// It owns what lies between package scan, which understands one picture, and a
// cohort of package data: which files a command line means (List, ReadTable),
// which patient a file belongs to when DICOM does not say (PatientRule), the
// import of one file as a unit of package archive (Importer.Work), and the
// cohort's manifest, splits and de-identification report (Importer.Seal).
//
// A cohort never holds a patient's name, identifier or file name: whatever may
// name a patient stays in the private folder beside it. Originals are only read.
package intake
