package dicom

import "image"

// RegionKind says what an ultrasound region shows.
type RegionKind string

// Kinds of regions, from Region Data Type (0018,6014) and Region Spatial Format
// (0018,6012). The standard has no code for elastography: an SWE box is tagged
// as tissue or colour flow.
const (
	Tissue      RegionKind = "tissue"
	ColourFlow  RegionKind = "colour flow"
	GreyBar     RegionKind = "grey bar"
	ColourBar   RegionKind = "colour bar"
	Trace       RegionKind = "trace" // spectra, M-mode, ECG and other curves over time
	OtherRegion RegionKind = "other"
)

// Region is one item of the Sequence of Ultrasound Regions, PS3.3 C.8.5.5.
type Region struct {
	Bounds image.Rectangle // px, half open, clipped to the picture
	Kind   RegionKind

	SpatialFormat int  // Region Spatial Format: 1 is 2-D
	DataType      int  // Region Data Type
	LowPriority   bool // Region Flags bit 0: another region lies over this one

	// Pixel size of a region whose physical units are cm; 0 otherwise.
	LateralMMPerPx, DepthMMPerPx float64
}

// regionKind maps the codes of PS3.3 C.8.5.5.1.1 and C.8.5.5.1.2.
func regionKind(spatial, data int) RegionKind {
	switch {
	case data == 0x0D:
		return GreyBar
	case data == 0x0E:
		return ColourBar
	case spatial >= 2 && spatial <= 4, data >= 3 && data <= 0x0C, data >= 0x10 && data <= 0x12:
		return Trace
	case data == 1:
		return Tissue
	case data == 2:
		return ColourFlow
	}
	return OtherRegion
}
