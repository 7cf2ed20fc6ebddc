package phantom

// LogNormal is a log-normal spread, cut off at Min and Max by drawing again.
type LogNormal struct{ Median, LogSD, Min, Max float64 }

// Normal is a normal spread, cut off at Min and Max by drawing again.
type Normal struct{ Mean, SD, Min, Max float64 }

// Tissue holds the properties of one kind of benign tissue.
type Tissue struct {
	EKPa         float64 // median apparent Young's modulus, kPa
	BetweenLogSD float64 // log-SD of stiffness between patients
	WithinLogSD  float64 // log-SD of stiffness within a patient, at millimetre scale
	EchoDB       float64 // backscatter relative to normal PZ, dB
	EchoSD       float64 // SD of backscatter within a patient, dB
	AttenDBCmMHz float64 // attenuation, dB/cm/MHz
	ClusterShape float64 // gamma shape of sub-resolution clustering
}

// Recipe holds every parameter of the population; [Prostate] fills them in. Each field names its
// source, or says "assumption" (nothing was found to take it from) or "design" (chosen between
// sources that disagree, or to meet the cohort's acceptance figures). Change one to ask what a
// result depends on.
type Recipe struct {
	Organ string // "prostate" or "thyroid"

	// StiffnessSeed replaces the stiffness of every patient while anatomy, latents, echo and tumours
	// stay bit for bit: the control that shows no B-mode array is made from stiffness. Default 0.
	StiffnessSeed uint64

	Planes       PlaneRecipe
	Latents      LatentRecipe
	Stone        StoneRecipe
	Registration RegistrationRecipe
	Beam         BeamRecipe

	// The prostate alone; all zero in a thyroid.
	Anatomy     AnatomyRecipe
	Tissues     TissueRecipe
	Tumours     TumourRecipe
	Confounders ConfounderRecipe

	Neck NeckRecipe // the thyroid alone; all zero in a prostate
}

// PlaneRecipe names the imaging planes and places them.
type PlaneRecipe struct {
	Names     []string  // axial planes. The companion study of the prostate used three (Eur Radiol 2020).
	Positions []float64 // from apex or lower pole (-1) to base or upper pole (+1), in half-lengths. Assumption.
	Jitter    float64   // SD of the position, in half-lengths. Assumption.
}

// StoneRecipe is what calcifications are made of.
type StoneRecipe struct {
	EKPa         float64 // stiffness as the waves meet it. Assumption.
	EchoDB       float64 // Assumption.
	AttenDBCmMHz float64 // 10-20 dB/mm at 6.5 MHz. Design.
}

// AnatomyRecipe describes size and shape.
type AnatomyRecipe struct {
	AgeYears Normal    // men at prostatectomy: 63 ± 6.5. Assumption.
	VolumeML LogNormal // surgical cohort: median 40 ml, 20-90. Design; 36.0 ± 18.2 ml up to 87.5 ml in PMC8020739.

	WidthToHeight  Normal  // transverse over anteroposterior: 4.0/2.5 cm, widened by the probe's pressure (rmmonline.co.uk; jitter is an assumption)
	LengthToHeight Normal  // craniocaudal over anteroposterior: 3.5/2.5 cm (same source)
	MaxHeightMM    float64 // larger glands grow sideways beyond it, so that the anterior stroma stays in view. Assumption.
	MaxWidthMM     float64 // as above. Assumption.

	CouplantMM, RectalWallMM Normal  // layers before the gland: 2-4 mm wall. Design.
	ProbeRadiusMM            float64 // radius of the end-fire probe tip that the rectal wall follows. Design (SE12-3 class: 10 mm).
	DentMM                   Normal  // how far the probe dents the posterior surface. Assumption.

	ShiftMM     Normal // lateral offset of the gland from the probe. Assumption.
	BladderFill Normal // size of the bladder in front of the base, 1 is the usual. Assumption.

	PZThicknessMM     Normal  // posterolateral PZ in glands of 25 ml: 10 ± 2.9 mm (experts.umn.edu)
	PZThinningMMPerML float64 // thinning with volume; gives the weak inverse relation r = -0.21 of PMC8020739
	TZShareBase       float64 // TZ share of the gland at 20 ml. Assumption.
	TZShareGrowth     float64 // what large glands add to it. Assumption (benign hyperplasia is TZ growth).
	TZShareSD         float64 // between patients. Assumption.
}

// LatentRecipe links the tissue latents (stroma, cellularity, gland lumen, inflammation) with what
// can be measured. All of it is an assumption; the sizes come from the difficulty budget: part of a
// patient's stiffness must show in volume, texture and attenuation, and none of it in one feature.
type LatentRecipe struct {
	PatientShare, ZoneShare, CoarseShare, FineShare float64 // shares of a latent's variance; they sum to 1
	CoarseMM, FineMM                                float64 // lattice spacing of the two in-plane scales, mm

	VolumeToStroma  float64 // correlation of log volume with the patient's stroma
	StromaToKPa     float64 // correlation of stroma with log stiffness, within the patient and between patients
	CellsToKPa      float64 // same, cellularity
	InflamToKPa     float64 // same, inflammation
	LumenToEcho     float64 // correlation of gland lumen with backscatter
	StromaToEcho    float64 // same, stroma (negative)
	InflamToEcho    float64 // same, inflammation (negative)
	StromaToTexture float64 // log-SD of the cluster shape explained by stroma
	LumenToTexture  float64 // log-SD of the cluster shape explained by gland lumen (negative)
	TextureLogSD    float64 // the cluster shape's own log-SD
	StromaToAtten   float64 // dB/cm/MHz per SD of the patient's stroma
	AttenSD         float64 // the attenuation's own SD between patients, dB/cm/MHz (0.4-0.7 overall)
}

// TissueRecipe holds the benign tissues.
type TissueRecipe struct {
	PZ, TZ, CZ, AFMS, Urethra                            Tissue
	Fat, Muscle, RectalWall, BladderWall, SeminalVesicle Tissue

	TZKPaPerYear float64 // ageing of the TZ around 63 years: 0.5 kPa a year (Zhang, kab.ac.ug)
	// BenignViscosityPaS is the shear viscosity of benign tissue, Pa·s. The default 0 leaves tissue
	// elastic: published kPa are apparent values, read by scanners that assume no viscosity.
	BenignViscosityPaS float64
	TumourViscosity    float64 // ratio to benign: 2.4 (pubmed 18957712)
}

// TumourRecipe describes the cancer foci.
type TumourRecipe struct {
	UnifocalShare   float64    // 0.17: 83 % are multifocal (Cancer 2000;89:1800)
	ExtraFociMean   float64    // Poisson mean beyond two in multifocal glands; 607 foci in 180 glands
	ZoneShare       [3]float64 // PZ, TZ, CZ: 74 % in PZ (same source); the rest split by assumption
	GradeShare      [5]float64 // index lesion, ISUP 1-5: 23/53/11/5/7 % (n = 1754, fonc.2019.01272)
	LowerGradeShare float64    // secondary foci of lower grade: 80 % (multifocality series)

	IndexML, SecondaryML LogNormal  // median 1 ml and 0.15 ml; 80 % of secondary foci are below 0.5 ml
	GradeKPa             [5]float64 // medians as a scanner shows them at a focus's middle: 38/52/62/75/75 kPa. Design between Barr, Sage and Shoji.
	GradeLogSD           float64    // 0.33. Design.
	WithinLogSD          float64    // stiff cancers are homogeneous (ismrm.org 1003); value is an assumption
	SoftShare            float64    // tumours no stiffer than their surroundings: 10-15 %. Design.
	MaxKPa               float64    // upper end of what is drawn. Assumption.
	InfiltrativeShare    float64    // foci with a margin mixed with benign glands: 25 %. Design.
	CrescentShare        float64    // peripheral foci that hug the capsule. Assumption.

	HypoechoicShare   float64 // mean of P(hypoechoic): 60 % (Shinohara 1989)
	HypoPerMM         float64 // its log-odds per mm of diameter: larger foci are seen. Assumption on the size.
	HypoPerGrade      float64 // its log-odds per grade group, weak (Shinohara against medluna 7526001)
	HyperechoicShare  float64 // 1 of 70 (Shinohara 1989)
	HypoContrastDB    Normal  // -5 ± 2 dB. Design.
	IsoContrastDB     Normal  // 0 ± 1 dB. Design.
	SeenShare         float64 // of a tumour's diameter, what B-mode shows of it: the index focus then looks 4.8 mm smaller (Shinohara 1989)
	ClusterShape      float64 // near fully developed speckle. Design.
	ExtraAttenDBCmMHz float64 // attenuation above the surroundings. Assumption.
}

// ConfounderRecipe describes the benign findings that look or feel like cancer.
type ConfounderRecipe struct {
	NodulesPerTZML float64       // hyperplastic nodules per ml of TZ above NoduleFreeTZML. Assumption.
	NoduleFreeTZML float64       // TZ volume below which there are none. Assumption.
	NoduleML       LogNormal     // 5-20 mm. Assumption.
	StromalKPa     LogNormal     // stromal nodules: 35-70 kPa; MRE-stiff areas are stromal in 50.6 % (ejrnm s43055-021-00679-8)
	GlandularKPa   LogNormal     // the other nodules. Assumption.
	NoduleEchoDB   Normal        // any echogenicity, drawn apart from the stiffness. Design.
	StiffTZ        [2][2]float64 // P(inhomogeneously stiff), P(uniformly stiff) below and above 45 ml: 22/11 %, 57/12 % (PMC3558082)
	UniformTZRatio float64       // stiffness ratio of a uniformly stiff TZ. Assumption.
	StromalShare   [2]float64    // share of stiff stromal nodules in an elastic and in an inhomogeneously stiff TZ. Assumption.

	ProstatitisShare  float64   // men with peripheral wedges. Assumption.
	ProstatitisKPa    LogNormal // 20-45 kPa. Design.
	ProstatitisEchoDB Normal    // hypoechoic. Assumption on the size.

	GranulomatousShare  float64   // 1-2 of 50 men. Design.
	GranulomatousKPa    LogNormal // stiff. Assumption.
	GranulomatousEchoDB Normal    // hypoechoic. Assumption.

	OuterNoduleShare  float64   // hypoechoic benign nodules of the outer gland: 9 % of 240 men (researcher.life)
	OuterNoduleKPa    LogNormal // Assumption.
	OuterNoduleEchoDB Normal    // Assumption.

	CalcInterfaceShare, CalcPZShare, CalcTZShare float64 // men with stones: 42 %, 6.8 %, 9 % (Smolski)
	CalcMarkedShare                              float64 // marked in 25 % (aiua.2016.4.304)

	RetentionCystShare, UtricleCystShare, ResectionShare float64 // cysts, and the defect that resection leaves. Assumption.
}

// RegistrationRecipe describes how far histopathology is off after registration. Together its parts
// leave a mean error of 2-3 mm within the gland, which is what landmark studies of prostate imaging
// and whole-mount histology report (about 2-3 mm, remembered and unverified; the whole gland's Dice of
// 0.91 after deformable registration is PMC2975408).
type RegistrationRecipe struct {
	ShrinkagePercent Normal  // true linear shrinkage around the 4.5 % that the study corrects for (pubmed 16909262); SD is an assumption
	CorrectedPercent float64 // 4.5 %, the correction every section gets
	MaxTiltDegrees   float64 // plane mismatch up to 15°, in any direction. Design.
	MaxOffsetMM      float64 // slice offset up to ±2 mm. Design.
	WarpMM           Normal  // size of the smooth in-plane warp, 1.5-3 mm. Design; see RegistrationRecipe.
	WarpScaleMM      float64 // its lattice spacing. Assumption.
}

// BeamRecipe is the elevation over which a plane is averaged; both are slice thicknesses, not
// devices: an elevation beam of 2-4 mm. Design.
type BeamRecipe struct {
	ImagingFWHMMM float64 // two-way elevation width for backscattered power
	ShearFWHMMM   float64 // elevation width over which stiffness is averaged
	Slices        int     // number of elevation slices
}

// Prostate is the default population: 50 men before radical prostatectomy are drawn from it.
func Prostate() Recipe {
	return Recipe{
		Organ: "prostate",
		Anatomy: AnatomyRecipe{
			AgeYears: Normal{63, 6.5, 45, 78},
			VolumeML: LogNormal{40, 0.38, 20, 90},

			WidthToHeight: Normal{1.55, 0.10, 1.3, 1.85}, LengthToHeight: Normal{1.38, 0.10, 1.15, 1.65},
			MaxHeightMM: 35, MaxWidthMM: 56,
			CouplantMM: Normal{0.7, 0.2, 0.3, 1.2}, RectalWallMM: Normal{2.8, 0.4, 2, 3.8},
			ProbeRadiusMM: 10, DentMM: Normal{1.9, 0.5, 0.8, 3},
			ShiftMM: Normal{0, 1.2, -2.5, 2.5}, BladderFill: Normal{0.9, 0.25, 0.4, 1.4},
			PZThicknessMM: Normal{10, 2.2, 5, 15}, PZThinningMMPerML: 0.045,
			TZShareBase: 0.18, TZShareGrowth: 0.45, TZShareSD: 0.05,
		},
		Planes: PlaneRecipe{Names: []string{"base", "mid", "apex"}, Positions: []float64{0.56, 0.02, -0.56}, Jitter: 0.05},
		Stone:  StoneRecipe{EKPa: 150, EchoDB: 16, AttenDBCmMHz: 23},
		Latents: LatentRecipe{
			PatientShare: 0.35, ZoneShare: 0.15, CoarseShare: 0.25, FineShare: 0.25, CoarseMM: 6, FineMM: 1.6,
			VolumeToStroma: 0.4, StromaToKPa: 0.74, CellsToKPa: 0.30, InflamToKPa: 0.2,
			LumenToEcho: 0.33, StromaToEcho: -0.03, InflamToEcho: -0.12,
			StromaToTexture: 0.45, LumenToTexture: -0.25, TextureLogSD: 0.15,
			StromaToAtten: 0.05, AttenSD: 0.04,
		},
		Tissues: TissueRecipe{
			// Medians: PZ 22 kPa, CZ 26, TZ 27, between Barr, Shoji, Sage and Dundee; stroma and urethra 35
			// and 25. Spread: PZ and CZ 22 % between men and 18 % within make the 28 % of Dundee's benign
			// 27.9 ± 7.9 kPa; TZ 25 % each, for its heterogeneous hyperplasia. Echo, attenuation and cluster
			// shape are assumptions.
			PZ:      Tissue{22, 0.22, 0.18, 0, 2.3, 0.50, 3},
			TZ:      Tissue{27, 0.25, 0.25, -2.5, 2.5, 0.54, 5},
			CZ:      Tissue{26, 0.22, 0.18, -1.2, 2.1, 0.52, 4.5},
			AFMS:    Tissue{35, 0.15, 0.10, -7, 1.2, 0.68, 14},
			Urethra: Tissue{25, 0.15, 0.08, -5, 1.2, 0.60, 10},
			// Around the gland: fat 8-12 kPa, muscle 15-25 kPa; all assumptions.
			Fat:            Tissue{10, 0.12, 0.12, 1.5, 2.2, 0.55, 2.2},
			Muscle:         Tissue{20, 0.12, 0.10, -5, 1.5, 0.75, 5},
			RectalWall:     Tissue{15, 0.12, 0.08, -1, 1.0, 0.60, 6},
			BladderWall:    Tissue{19, 0.12, 0.08, -3.5, 1.0, 0.65, 8},
			SeminalVesicle: Tissue{12, 0.12, 0.12, -4.5, 1.6, 0.45, 6},
			TZKPaPerYear:   0.5, TumourViscosity: 2.4,
		},
		Tumours: TumourRecipe{
			UnifocalShare: 0.17, ExtraFociMean: 1.9, ZoneShare: [3]float64{0.74, 0.22, 0.04},
			GradeShare: [5]float64{0.23, 0.53, 0.11, 0.05, 0.07}, LowerGradeShare: 0.80,
			IndexML: LogNormal{1.0, 0.8, 0.12, 7}, SecondaryML: LogNormal{0.15, 0.9, 0.02, 1.2},
			GradeKPa: [5]float64{38, 52, 62, 75, 75}, GradeLogSD: 0.33, WithinLogSD: 0.07,
			SoftShare: 0.12, MaxKPa: 200, InfiltrativeShare: 0.25, CrescentShare: 0.4,
			HypoechoicShare: 0.60, HypoPerMM: 0.11, HypoPerGrade: 0.12, HyperechoicShare: 0.014,
			HypoContrastDB: Normal{-5, 2, -10, -1.5}, IsoContrastDB: Normal{0, 1, -2.5, 2.5},
			SeenShare: 0.763, ClusterShape: 14, ExtraAttenDBCmMHz: 0.05,
		},
		Confounders: ConfounderRecipe{
			NodulesPerTZML: 0.16, NoduleFreeTZML: 3, NoduleML: LogNormal{0.6, 0.8, 0.07, 4},
			StromalKPa: LogNormal{46, 0.22, 35, 75}, GlandularKPa: LogNormal{26, 0.2, 15, 38}, NoduleEchoDB: Normal{-0.5, 2.5, -6, 5},
			StiffTZ: [2][2]float64{{0.22, 0.11}, {0.57, 0.12}}, UniformTZRatio: 1.5, StromalShare: [2]float64{0.15, 0.65},
			ProstatitisShare: 0.25, ProstatitisKPa: LogNormal{30, 0.2, 20, 45}, ProstatitisEchoDB: Normal{-3, 1.2, -7, -1},
			GranulomatousShare: 0.03, GranulomatousKPa: LogNormal{62, 0.2, 45, 95}, GranulomatousEchoDB: Normal{-5.5, 1.2, -8, -3},
			OuterNoduleShare: 0.09, OuterNoduleKPa: LogNormal{34, 0.2, 24, 55}, OuterNoduleEchoDB: Normal{-4, 1.2, -7, -2},
			CalcInterfaceShare: 0.42, CalcPZShare: 0.068, CalcTZShare: 0.09, CalcMarkedShare: 0.25,
			RetentionCystShare: 0.12, UtricleCystShare: 0.04, ResectionShare: 0.04,
		},
		Registration: RegistrationRecipe{
			ShrinkagePercent: Normal{4.5, 1.5, 0, 9}, CorrectedPercent: 4.5,
			MaxTiltDegrees: 15, MaxOffsetMM: 2, WarpMM: Normal{2.0, 0.3, 1.5, 3}, WarpScaleMM: 24,
		},
		Beam: BeamRecipe{ImagingFWHMMM: 3, ShearFWHMMM: 1.5, Slices: 5},
	}
}
