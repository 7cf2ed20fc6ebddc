package phantom

// Labels of the histopathology maps. Tumour foci, malignant nodules in a thyroid, are numbered from [LabelFocus] on.
const (
	LabelOutside uint8 = 0  // outside the capsule
	LabelPZ      uint8 = 1  // peripheral zone
	LabelTZ      uint8 = 2  // transition zone
	LabelCZ      uint8 = 3  // central zone
	LabelAFMS    uint8 = 4  // anterior fibromuscular stroma
	LabelUrethra uint8 = 5  // urethra and verumontanum
	LabelThyroid uint8 = 6  // parenchyma of a thyroid lobe
	LabelIsthmus uint8 = 7  // isthmus of the thyroid
	LabelNodule  uint8 = 8  // benign thyroid nodule
	LabelFocus   uint8 = 10 // first tumour focus; the n-th focus is LabelFocus+n
)

// NotGraded stands in Focus.Gleason for tumours that have no Gleason score; their GradeGroup is 0.
const NotGraded = "n/a"

// NoReflectorDB is the reflector strength where there is no coherent boundary.
const NoReflectorDB float32 = -120

// Grid is a plane's sampling. Row 0 lies at the depth of the probe tip and rows go deeper
// (anterior); the mid-line is at column Width/2.
type Grid struct {
	Height, Width int
	MMPerPx       float64
}

// ReferenceGrid is 256 by 384 pixels of 0.175 mm: 44.8 mm deep, 67.2 mm wide.
func ReferenceGrid() Grid { return Grid{Height: 256, Width: 384, MMPerPx: 0.175} }

// DepthMM is the depth of a row, mm.
func (g Grid) DepthMM(row int) float64 { return float64(row) * g.MMPerPx }

// LateralMM is the lateral position of a column, mm; 0 on the mid-line.
func (g Grid) LateralMM(col int) float64 { return (float64(col) - float64(g.Width)/2) * g.MMPerPx }

// Section is one imaging plane of one patient: tissue properties, row-major [Height*Width].
type Section struct {
	Organ          string // the recipe's
	Patient, Plane string
	Grid           Grid

	// EKPa is the true Young's modulus 3µ in kPa, averaged over the elevation of the shear-wave
	// beams. In tissue without viscosity it is what an ideal scanner would show. Fluid holds 1 kPa, a
	// number without meaning; stones hold that of the recipe.
	EKPa []float32
	// ViscosityPaS is the Kelvin-Voigt shear viscosity in Pa·s; nil means elastic tissue.
	ViscosityPaS []float32
	// BackscatterDB is the mean backscattered power, averaged as power over the elevation of the
	// imaging beam, in dB relative to this recipe's normal peripheral zone.
	BackscatterDB []float32
	// AttenDBCmMHz is the local attenuation in dB/cm/MHz.
	AttenDBCmMHz []float32
	// ClusterShape is the gamma shape of sub-resolution scatterer clustering: small is clumped
	// (glandular), large is fully developed speckle.
	ClusterShape []float32
	// ReflectorDB is the strength of coherent boundaries (capsule, surgical capsule, urethra,
	// rectal wall, bladder) in dB above speckle at normal incidence, in bands about two pixels wide
	// centred on the interface; NoReflectorDB elsewhere.
	ReflectorDB []float32
	// ReflectorNormalZ and ReflectorNormalX are the unit normal of the boundary; zero where
	// ReflectorDB is NoReflectorDB. The sign carries no meaning.
	ReflectorNormalZ, ReflectorNormalX []float32
	// Fluid marks urine, cysts, vessels, couplant and the trachea's air, which carry no shear wave.
	Fluid []bool
	// Calcification marks stones, which cast an acoustic shadow.
	Calcification []bool
	// Gland marks the inside of the capsule.
	Gland []bool
	// Labels is the true histopathology of the plane; LabelsRegistered is what a study would have
	// after shrinkage, a mismatched plane and an imperfect in-plane registration.
	Labels, LabelsRegistered []uint8
	// Foci lists the foci cut by this plane, with InPlaneDiameterMM set.
	Foci []Focus
}

// Focus is one tumour, as a pathologist would report it.
type Focus struct {
	ID         uint8   // label value, LabelFocus or more
	Zone       string  // "PZ", "TZ" or "CZ"; "right lobe" or "left lobe" of a thyroid
	Kind       string  // histological type of a thyroid carcinoma; empty for a prostate's adenocarcinoma
	GradeGroup int     // ISUP grade group, 1 to 5; 0 in a thyroid, which is not graded so
	Gleason    string  // such as "3+4", or NotGraded
	DiameterMM float64 // largest axial diameter
	VolumeML   float64
	EKPa       float64 // apparent median stiffness
	Hypoechoic bool    // drawn as hypoechoic; otherwise isoechoic, seldom hyperechoic
	ContrastDB float64 // backscatter relative to its surroundings

	Index             bool    // the patient's index (largest) lesion
	Soft              bool    // no stiffer than its surroundings
	Infiltrative      bool    // margin mixed with benign glands
	Pattern4Percent   int     // share of Gleason pattern 4 (and 5), %
	Stage             string  // "pT2" or "pT3a" (reaches beyond the capsule)
	InPlaneDiameterMM float64 // largest diameter in a section; 0 in Patient.Foci
}
