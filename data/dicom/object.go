package dicom

import (
	"github.com/suyashkumar/dicom/pkg/tag"
)

// UIDs of the objects written and of this implementation, PS3.6 annex A.
const (
	secondaryCapture = "1.2.840.10008.5.1.4.1.1.7"
	parametricMap    = "1.2.840.10008.5.1.4.1.1.30"
	// implementation is a version 8 UUID made of the project's name.
	implementation = "2.25.203563018457862905123907156123986153811"
)

// newObject starts a derived object with the modules that both kinds share:
// Patient, General Study, General Series, General Equipment and SOP Common,
// PS3.3 C.7 and C.12. content tells two objects of one picture apart.
func newObject(class, seriesKind string, p Provenance, content []byte) *builder {
	b := new(builder)
	src := p.Source
	series := newUID(seriesKind+" series", []byte(src.StudyUID), []byte(src.SeriesUID), []byte(p.Model))
	instance := newUID(seriesKind, []byte(series), []byte(src.InstanceUID), []byte{byte(p.Frame), byte(p.Frame >> 8)}, []byte(p.derivation()), content)
	date, clock := p.Made.Format(dateFormat), p.Made.Format("150405")

	b.set(tag.FileMetaInformationVersion, []byte{0, 1})
	b.set(tag.MediaStorageSOPClassUID, class)
	b.set(tag.MediaStorageSOPInstanceUID, instance)
	b.set(tag.TransferSyntaxUID, explicitLittle)
	b.set(tag.ImplementationClassUID, implementation)
	b.set(tag.ImplementationVersionName, "SSWE")

	b.set(tag.SOPClassUID, class)
	b.set(tag.SOPInstanceUID, instance)
	b.set(tag.InstanceCreationDate, date)
	b.set(tag.InstanceCreationTime, clock)
	b.set(tag.ContentDate, date)
	b.set(tag.ContentTime, clock)
	b.set(tag.InstanceNumber, "1")

	b.set(tag.PatientName, clip(src.Patient, 63)+"^") // a family name, in the form that is not retired
	b.set(tag.PatientID, src.Patient)
	b.set(tag.PatientBirthDate, "")
	b.set(tag.PatientSex, "")
	b.set(tag.PatientIdentityRemoved, "YES")
	b.set(tag.DeidentificationMethod, "allow-list; identifiers and UIDs by keyed hash; dates shifted")
	b.set(tag.LongitudinalTemporalInformationModified, "MODIFIED")

	b.set(tag.StudyInstanceUID, src.StudyUID)
	b.set(tag.StudyDate, src.StudyDate)
	b.set(tag.StudyTime, "")
	b.set(tag.StudyID, clip(src.Patient, 16))
	b.set(tag.AccessionNumber, "")
	b.set(tag.ReferringPhysicianName, "")

	b.set(tag.Modality, src.Modality)
	b.set(tag.SeriesInstanceUID, series)
	b.set(tag.SeriesNumber, "1")
	b.set(tag.SeriesDescription, "sSWE "+researchUse)
	b.set(tag.Laterality, "") // unknown; demanded of organs in pairs

	b.set(tag.Manufacturer, "sSWE (research software)")
	b.set(tag.ManufacturerModelName, clip(p.Model, 64))
	b.set(tag.DeviceSerialNumber, "none")
	b.set(tag.SoftwareVersions, clip(p.Version, 64))
	b.sequence(tag.ContributingEquipmentSequence, func(e *builder) {
		e.code(tag.PurposeOfReferenceCodeSequence, "109102", "DCM", "Processing Equipment")
		e.set(tag.Manufacturer, "sSWE (research software)")
		e.set(tag.ManufacturerModelName, clip(p.Model, 64))
		e.set(tag.SoftwareVersions, clip(p.Version, 64))
		e.set(tag.ContributionDescription, clip("trained on "+p.TrainingDomain, 1024))
	})

	b.set(tag.BurnedInAnnotation, "NO") // as DICOM means it: nothing that names the patient
	return b
}

// sourceImage refers to the B-mode picture, PS3.3 C.7.6.1.1.4; false where it did
// not come from DICOM.
func (p Provenance) sourceImage(b *builder) bool {
	if p.Source.InstanceUID == "" || p.Source.SOPClassUID == "" {
		return false
	}
	b.sequence(tag.SourceImageSequence, func(s *builder) {
		s.set(tag.ReferencedSOPClassUID, p.Source.SOPClassUID)
		s.set(tag.ReferencedSOPInstanceUID, p.Source.InstanceUID)
		if p.Source.Frames > 1 {
			s.set(tag.ReferencedFrameNumber, decimal(float64(p.Frame+1)))
		}
		s.code(tag.PurposeOfReferenceCodeSequence, "121322", "DCM", "Source image for image processing operation")
	})
	return true
}
