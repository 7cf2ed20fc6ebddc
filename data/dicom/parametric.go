package dicom

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// StiffnessMap is Young's modulus over one imaging plane.
type StiffnessMap struct {
	Height, Width int
	KPa           []float32 // [Height, Width], depth by lateral; NaN where there is none
	MMPerPx       float64   // pixel size in mm, equal in both directions
	ScaleMaxKPa   float64   // what a viewer shows as the brightest
}

// noStiffness marks pixels without a value: viewers and their windows choke on
// NaN, and no modulus is negative.
const noStiffness = -1 // kPa

// largestKPa bounds the values of a map: 100 times the stiffest scale of a
// scanner.
const largestKPa = 1e5

// WriteParametricMap writes the map as a Parametric Map (PS3.3 A.75): stored
// values are kPa as 32-bit floats, with slope 1, the UCUM unit, the pixel
// spacing and a reference to the source picture. Position and orientation are
// those of the picture, not of the patient: the frame of reference is its own.
func WriteParametricMap(path string, m StiffnessMap, p Provenance) error {
	if err := writeParametric(path, m, p); err != nil {
		return fmt.Errorf("writing the parametric map %s: %w", path, err)
	}
	return nil
}

func (m StiffnessMap) check() error {
	switch {
	case m.Height < 1 || m.Width < 1 || m.Height >= 1<<16 || m.Width >= 1<<16 || len(m.KPa) != m.Height*m.Width:
		return fmt.Errorf("%d values for %d x %d pixels", len(m.KPa), m.Width, m.Height)
	case !plausibleMM(m.MMPerPx):
		return fmt.Errorf("a pixel size of %g mm; give that of the B-mode picture", m.MMPerPx)
	case !(m.ScaleMaxKPa > 0) || m.ScaleMaxKPa > largestKPa:
		return fmt.Errorf("a scale maximum of %g kPa", m.ScaleMaxKPa)
	}
	return nil
}

func writeParametric(path string, m StiffnessMap, p Provenance) error {
	if err := p.check(); err != nil {
		return err
	}
	if err := m.check(); err != nil {
		return err
	}
	pixels := make([]byte, 0, 4*len(m.KPa))
	for i, v := range m.KPa {
		switch {
		case math.IsNaN(float64(v)):
			v = noStiffness
		case v < 0 || v > largestKPa:
			return fmt.Errorf("%g kPa at pixel %d", v, i)
		}
		pixels = binary.LittleEndian.AppendUint32(pixels, math.Float32bits(v))
	}
	content := sha256.Sum256(pixels)

	b := newObject(parametricMap, "parametric map", p, content[:])
	m.image(b, p)
	b.sequence(tag.SharedFunctionalGroupsSequence, func(g *builder) { m.shared(g) })
	b.sequence(tag.PerFrameFunctionalGroupsSequence, func(g *builder) { perFrame(g, p) })
	// The library has no value for 32-bit floats (OF); it writes a single text
	// byte by byte, which is what they are.
	b.set(tag.FloatPixelData, string(pixels))
	return b.writeFile(path)
}

// image adds the Parametric Map Image, Floating Point Image Pixel, Frame of
// Reference and Multi-frame Dimension modules, PS3.3 C.8.32, C.7.6.24, C.7.4.1
// and C.7.6.17.
func (m StiffnessMap) image(b *builder, p Provenance) {
	b.set(tag.ImageType, mapType)
	b.set(tag.ContentLabel, "SSWE_KPA")
	b.set(tag.ContentDescription, "Synthetic Young's modulus (kPa), research use")
	b.set(tag.ContentCreatorName, "sSWE^")
	b.set(tag.ContentQualification, "RESEARCH")
	b.set(tag.PixelPresentation, "MONOCHROME")
	b.set(tag.RecognizableVisualFeatures, "NO")
	b.set(tag.LossyImageCompression, "00")
	b.set(tag.PresentationLUTShape, "IDENTITY")
	b.sequence(tag.AcquisitionContextSequence, nil)

	b.set(tag.SamplesPerPixel, 1)
	b.set(tag.PhotometricInterpretation, monochrome2)
	b.set(tag.NumberOfFrames, "1")
	b.set(tag.Rows, m.Height)
	b.set(tag.Columns, m.Width)
	b.set(tag.BitsAllocated, 32)
	b.set(tag.FloatPixelPaddingValue, float64(noStiffness))
	b.set(tag.FloatPixelPaddingRangeLimit, float64(noStiffness))

	b.set(tag.FrameOfReferenceUID, p.Source.FrameUID)
	b.set(tag.PositionReferenceIndicator, "")
	dimension := newUID("dimension", []byte(p.Source.FrameUID))
	b.sequence(tag.DimensionOrganizationSequence, func(d *builder) { d.set(tag.DimensionOrganizationUID, dimension) })
	b.sequence(tag.DimensionIndexSequence, func(d *builder) {
		d.set(tag.DimensionOrganizationUID, dimension)
		d.set(tag.DimensionIndexPointer, pointer(tag.ImagePositionPatient))
		d.set(tag.FunctionalGroupPointer, pointer(tag.PlanePositionSequence))
		d.set(tag.DimensionDescriptionLabel, "Image Position (Patient)")
	})
	if s := p.Source; s.InstanceUID != "" && s.SOPClassUID != "" {
		b.sequence(tag.ReferencedSeriesSequence, func(r *builder) { // Common Instance Reference, C.12.2
			r.set(tag.SeriesInstanceUID, s.SeriesUID)
			r.sequence(tag.ReferencedInstanceSequence, func(i *builder) {
				i.set(tag.ReferencedSOPClassUID, s.SOPClassUID)
				i.set(tag.ReferencedSOPInstanceUID, s.InstanceUID)
			})
		})
	}
}

// mapType is the Image Type and Frame Type, PS3.3 C.8.32.2.
var mapType = []string{"DERIVED", "PRIMARY", "VOLUME", "QUANTITY"}

// pointer is a tag as a value (AT).
func pointer(t tag.Tag) []int { return []int{int(t.Group), int(t.Element)} }

// sliceMM is the thickness of the imaging plane, which the macro demands.
// Assumption: an elevational beam width usual for endocavity probes (2 to 4 mm).
const sliceMM = 3

// shared adds what holds for every frame, PS3.3 C.7.6.16.2 and C.8.32.3.
func (m StiffnessMap) shared(g *builder) {
	g.sequence(tag.PixelMeasuresSequence, func(s *builder) {
		s.set(tag.PixelSpacing, []string{decimal(m.MMPerPx), decimal(m.MMPerPx)})
		s.set(tag.SliceThickness, decimal(sliceMM))
	})
	g.sequence(tag.PlaneOrientationSequence, func(s *builder) {
		s.set(tag.ImageOrientationPatient, []string{"1", "0", "0", "0", "1", "0"})
	})
	g.sequence(tag.ParametricMapFrameTypeSequence, func(s *builder) { s.set(tag.FrameType, mapType) })
	g.sequence(tag.PixelValueTransformationSequence, func(s *builder) {
		s.set(tag.RescaleIntercept, "0")
		s.set(tag.RescaleSlope, "1")
		s.set(tag.RescaleType, "US") // unspecified: the unit stands in the mapping below
	})
	g.sequence(tag.FrameVOILUTSequence, func(s *builder) {
		s.set(tag.WindowCenter, decimal(m.ScaleMaxKPa/2))
		s.set(tag.WindowWidth, decimal(m.ScaleMaxKPa))
	})
	g.sequence(tag.RealWorldValueMappingSequence, func(s *builder) {
		s.set(tag.LUTExplanation, "Young's modulus in kPa, synthetic; -1: none")
		s.set(tag.LUTLabel, "SSWE_KPA")
		s.set(tag.DoubleFloatRealWorldValueFirstValueMapped, float64(noStiffness)) // readers refuse a map with values outside
		s.set(tag.DoubleFloatRealWorldValueLastValueMapped, float64(largestKPa))
		s.set(tag.RealWorldValueIntercept, 0.0)
		s.set(tag.RealWorldValueSlope, 1.0)
		s.code(tag.MeasurementUnitsCodeSequence, "kPa", "UCUM", "kilopascal")
		s.sequence(tag.QuantityDefinitionSequence, func(q *builder) {
			q.set(tag.ValueType, "CODE")
			q.code(tag.ConceptNameCodeSequence, "246205007", "SCT", "Quantity")
			q.code(tag.ConceptCodeSequence, "YOUNG", "99SSWE", "Young's modulus, synthetic") // the standard has no code
		})
	})
}

// perFrame adds what belongs to the one frame.
func perFrame(g *builder, p Provenance) {
	g.sequence(tag.FrameContentSequence, func(s *builder) { s.set(tag.DimensionIndexValues, 1) })
	g.sequence(tag.PlanePositionSequence, func(s *builder) {
		s.set(tag.ImagePositionPatient, []string{"0", "0", "0"})
	})
	g.sequence(tag.DerivationImageSequence, func(s *builder) {
		s.set(tag.DerivationDescription, p.derivation())
		s.code(tag.DerivationCodeSequence, "112187", "DCM", "Unspecified method of calculation")
		if !p.sourceImage(s) {
			s.sequence(tag.SourceImageSequence, nil) // demanded even without one, PS3.3 C.7.6.16.2.6
		}
	})
}
