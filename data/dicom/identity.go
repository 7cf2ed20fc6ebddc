package dicom

import "fmt"

// Identity is who and what a picture is, under keyed pseudonyms: safe to store
// and to write.
type Identity struct {
	Patient     string // pseudonym, fit for a folder's name
	StudyUID    string
	SeriesUID   string
	InstanceUID string // of the picture; "" where it did not come from DICOM
	SOPClassUID string // of the picture; "" where it did not come from DICOM
	StudyDate   string // YYYYMMDD, shifted; "" where unknown
	FrameUID    string // Frame of Reference
	Frames      int    // of the picture, 1 where it did not come from DICOM
	Modality    string // "US" where unknown
}

// Identify gives a picture that has no DICOM identity one, from the SHA-256 of
// its file: the same file is the same patient and study.
func (k *Key) Identify(contentSHA256 []byte) Identity {
	name := fmt.Sprintf("content %x", contentSHA256)
	return Identity{
		Patient:   k.Pseudonym(name),
		StudyUID:  k.UID("study " + name),
		SeriesUID: k.UID("series " + name),
		FrameUID:  k.UID("frame " + name),
		Frames:    1,
		Modality:  "US",
	}
}
