package dicom

import (
	"fmt"
	"slices"
	"strings"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// allowed are the elements whose values may leave a file as they are: numbers
// and codes of how the picture was made and stored. Everything that is on
// neither list is dropped, known or not.
var allowed = tagSet(
	tag.SOPClassUID, tag.Modality, tag.Manufacturer, tag.ManufacturerModelName,
	tag.SamplesPerPixel, tag.PhotometricInterpretation, tag.PlanarConfiguration, tag.NumberOfFrames, tag.Rows, tag.Columns,
	tag.BitsAllocated, tag.BitsStored, tag.HighBit, tag.PixelRepresentation,
	tag.PixelSpacing, tag.WindowCenter, tag.WindowWidth, tag.RescaleSlope, tag.RescaleIntercept,
	tag.RedPaletteColorLookupTableDescriptor, tag.GreenPaletteColorLookupTableDescriptor, tag.BluePaletteColorLookupTableDescriptor,
	tag.RedPaletteColorLookupTableData, tag.GreenPaletteColorLookupTableData, tag.BluePaletteColorLookupTableData,
	tag.SegmentedRedPaletteColorLookupTableData, tag.SegmentedGreenPaletteColorLookupTableData, tag.SegmentedBluePaletteColorLookupTableData,
	tag.FrameTime, tag.FrameTimeVector, tag.CineRate, tag.RecommendedDisplayFrameRate,
	tag.LossyImageCompression, tag.BurnedInAnnotation, tag.SequenceOfUltrasoundRegions,
)

// replaced are the elements that leave it under a keyed hash or a shift.
var replaced = tagSet(
	tag.PatientID, tag.StudyInstanceUID, tag.SeriesInstanceUID, tag.SOPInstanceUID, tag.FrameOfReferenceUID, tag.StudyDate,
)

// Report says what de-identification did to one file: names of elements, never
// their values.
type Report struct {
	Kept     []string // passed as they are
	Replaced []string // pseudonymised, remapped or shifted by the key
	Removed  []string // dropped, with all that is nested in them
	Private  int      // vendors' private elements dropped unread
	BurnedIn bool     // the picture itself may name the patient: use only what lies inside its image regions
}

// String is the report in a few lines, for a log or a card.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "kept %d elements: %s\nreplaced %d: %s\nremoved %d: %s\nremoved %d private elements unread\n",
		len(r.Kept), strings.Join(r.Kept, ", "), len(r.Replaced), strings.Join(r.Replaced, ", "), len(r.Removed), strings.Join(r.Removed, ", "), r.Private)
	if r.BurnedIn {
		b.WriteString("the picture may carry burned-in text: only its image regions may be used\n")
	}
	return b.String()
}

// Deidentify gives the identity behind the picture under the key's pseudonyms,
// and the report of what stays behind. The file is not touched. A file without
// a patient's number is told by name and birth date, and one without those by
// its study: the pseudonym then covers that study only.
func (im *Image) Deidentify(k *Key) (Identity, Report) {
	h := im.header
	patient := "id " + h.text(tag.PatientID)
	if h.text(tag.PatientID) == "" {
		patient = "name " + h.text(tag.PatientName) + " born " + h.text(tag.PatientBirthDate)
		if h.text(tag.PatientName) == "" {
			patient = "study " + h.text(tag.StudyInstanceUID)
		}
	}
	remap := func(t tag.Tag) string {
		// A missing UID is replaced by one of its own kind for this patient.
		if uid := h.text(t); uid != "" {
			return k.UID(uid)
		}
		return k.UID(t.String() + " of " + patient)
	}
	id := Identity{
		Patient:     k.Pseudonym(patient),
		StudyUID:    remap(tag.StudyInstanceUID),
		SeriesUID:   remap(tag.SeriesInstanceUID),
		InstanceUID: remap(tag.SOPInstanceUID),
		FrameUID:    remap(tag.FrameOfReferenceUID),
		SOPClassUID: im.SOPClassUID,
		StudyDate:   k.shiftDate(patient, h.text(tag.StudyDate)),
		Frames:      im.Frames,
		Modality:    im.Modality,
	}
	if id.Modality == "" {
		id.Modality = "US"
	}
	return id, h.report(im.BurnedIn)
}

func (h header) report(burnedIn bool) Report {
	r := Report{BurnedIn: burnedIn}
	for _, t := range h.tags {
		switch {
		case tag.IsPrivate(t.Group):
			r.Private++
		case allowed[t]:
			r.Kept = append(r.Kept, tagName(t))
		case replaced[t]:
			r.Replaced = append(r.Replaced, tagName(t))
		default:
			r.Removed = append(r.Removed, tagName(t))
		}
	}
	for _, list := range []*[]string{&r.Kept, &r.Replaced, &r.Removed} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return r
}

// tagName is the keyword of the dictionary, or the number.
func tagName(t tag.Tag) string {
	if info, err := tag.Find(t); err == nil && info.Keyword != "" {
		return info.Keyword
	}
	return t.String()
}
