package phantom

// Organs that a recipe can draw.
const (
	organProstate = "prostate"
	organThyroid  = "thyroid"
)

// NeckRecipe holds the population of a thyroid: patients referred for a nodule, one lobe a patient.
type NeckRecipe struct {
	AgeYears Normal // referred adults. Assumption.

	SkinMM, FatMM, StrapMM Normal // layers before the gland. Assumption.
	LobeAPMM, LobeWidthMM  Normal // 13-18 mm and 15-20 mm in adults (textbook values, remembered)
	LobeLengthMM           Normal // 40-60 mm (same)
	TracheaMM              Normal // outer diameter, 15-20 mm (same)
	ProbeMM                Normal // how far beside the mid-line the probe is centred. Assumption.

	Thyroid, Fat, Muscle, Skin, Cartilage, VesselWall Tissue

	HashimotoShare  float64 // patients with diffuse autoimmune thyroiditis, the diffuse look-alike. Assumption.
	HashimotoEchoDB float64 // hypoechoic and coarse. Assumption on the size.
	HashimotoRatio  float64 // stiffness over normal parenchyma. Assumption.

	ExtraNodules      float64 // Poisson mean beyond the index nodule. Assumption.
	MalignantShare    float64 // of index nodules: 106 of 322 (PMC5355106)
	SecondMalignant   float64 // of further nodules. Assumption.
	NoduleMM          LogNormal
	BenignKind        [3]float64 // hyperplastic, cystic, adenoma. Assumption.
	MalignantKind     [3]float64 // papillary, follicular, medullary: 85/10/5 %, remembered
	BenignKPa         LogNormal  // median between 15.9 ± 7.0 (PMC5355106) and 37.6 ± 26.1 kPa (PMC7879443)
	AdenomaKPa        LogNormal  // a little stiffer. Assumption.
	PapillaryKPa      LogNormal  // median between 31.9 ± 19.1 and 105.4 ± 48.8 kPa (same two studies)
	FollicularKPa     LogNormal  // softer than papillary ones, remembered; the values are assumptions
	NoduleWithinLogSD float64    // Assumption.
	// Hypoechogenicity finds some 80 % of carcinomas and also half of the benign nodules (remembered);
	// the levels that make it so are assumptions.
	BenignEchoDB, AdenomaEchoDB, MalignantEchoDB Normal
	Microcalcified                               float64 // papillary carcinomas with microcalcifications. Assumption.
	Macrocalcified                               float64 // benign nodules with a coarse calcification. Assumption.
}

// Thyroid is the population of the second organ, for which the follow-up paper retrains the network.
// Both studies that give stiffness disagree by a factor of two to three; the medians here lie between
// (geometric means). Planes are transverse at three levels of the lobe that holds the index nodule.
func Thyroid() Recipe {
	p := Prostate()
	return Recipe{
		Organ:        organThyroid,
		Planes:       PlaneRecipe{Names: []string{"upper", "middle", "lower"}, Positions: []float64{0.4, 0, -0.4}, Jitter: 0.05},
		Latents:      p.Latents, // the prostate's links between latents, stiffness and echo. Assumption.
		Stone:        StoneRecipe{EKPa: 150, EchoDB: 14, AttenDBCmMHz: 14},
		Registration: RegistrationRecipe{ShrinkagePercent: Normal{4.5, 1.5, 0, 9}, CorrectedPercent: 4.5, MaxTiltDegrees: 15, MaxOffsetMM: 1.5, WarpMM: Normal{1.2, 0.3, 0.6, 1.8}, WarpScaleMM: 20}, // assumption: a small specimen is off by less,
		Beam:         BeamRecipe{ImagingFWHMMM: 1.8, ShearFWHMMM: 1.5, Slices: 5},
		Neck: NeckRecipe{
			AgeYears: Normal{50, 13, 20, 80},
			SkinMM:   Normal{1.4, 0.2, 1, 2}, FatMM: Normal{2.6, 0.9, 1, 5.5}, StrapMM: Normal{3.6, 0.6, 2.4, 5},
			LobeAPMM: Normal{15.5, 1.8, 12, 20}, LobeWidthMM: Normal{17.5, 2, 13, 23}, LobeLengthMM: Normal{48, 5, 38, 60},
			TracheaMM: Normal{18, 1.2, 15, 21}, ProbeMM: Normal{15, 1.5, 11, 18},
			// Parenchyma 10-25 kPa (remembered) and brighter than muscle; the rest are assumptions.
			Thyroid:    Tissue{16, 0.25, 0.14, 3, 1.1, 0.50, 10},
			Fat:        Tissue{8, 0.15, 0.12, -2, 1.8, 0.50, 3},
			Muscle:     Tissue{14, 0.15, 0.10, -8, 1.5, 0.70, 5},
			Skin:       Tissue{25, 0.15, 0.08, 4, 1, 0.80, 8},
			Cartilage:  Tissue{60, 0.1, 0.05, -3, 0.8, 1.50, 12},
			VesselWall: Tissue{30, 0.1, 0.05, 0, 0.8, 0.60, 8},

			HashimotoShare: 0.12, HashimotoEchoDB: -5, HashimotoRatio: 1.4,
			ExtraNodules: 0.7, MalignantShare: 0.33, SecondMalignant: 0.08,
			NoduleMM:   LogNormal{13, 0.4, 5, 28},
			BenignKind: [3]float64{0.60, 0.25, 0.15}, MalignantKind: [3]float64{0.85, 0.10, 0.05},
			BenignKPa: LogNormal{24, 0.5, 7, 90}, AdenomaKPa: LogNormal{29, 0.45, 8, 100},
			PapillaryKPa: LogNormal{58, 0.5, 15, 190}, FollicularKPa: LogNormal{38, 0.45, 10, 120}, NoduleWithinLogSD: 0.12,
			BenignEchoDB: Normal{-2, 2.5, -8, 3}, AdenomaEchoDB: Normal{-2.5, 2.3, -8, 2}, MalignantEchoDB: Normal{-4.5, 2.3, -11, 0},
			Microcalcified: 0.45, Macrocalcified: 0.1,
		},
	}
}

// neckRules lists the bounds that the types of a neck's parameters do not imply.
func (r Recipe) neckRules() []rule {
	n := r.Neck
	return []rule{
		{"Neck.AgeYears.Min", n.AgeYears.Min, 18, 120},
		{"Neck.SkinMM.Min", n.SkinMM.Min, 0.5, 10},
		{"Neck.FatMM.Min", n.FatMM.Min, 0, 30},
		{"Neck.StrapMM.Min", n.StrapMM.Min, 0.5, 20},
		{"Neck.LobeAPMM.Min", n.LobeAPMM.Min, 6, 60},
		{"Neck.LobeWidthMM.Min", n.LobeWidthMM.Min, 6, 60},
		{"Neck.LobeLengthMM.Min", n.LobeLengthMM.Min, 15, 120},
		{"Neck.TracheaMM.Min", n.TracheaMM.Min, 8, 40},
		{"Neck.ProbeMM.Min", n.ProbeMM.Min, 0, 40},
		{"Neck.HashimotoEchoDB", n.HashimotoEchoDB, -20, 10},
		{"Neck.HashimotoRatio", n.HashimotoRatio, 0.2, 10},
		{"Neck.ExtraNodules", n.ExtraNodules, 0, 10},
		{"Neck.MalignantShare", n.MalignantShare, 0, 1},
		{"Neck.SecondMalignant", n.SecondMalignant, 0, 1},
		{"Neck.NoduleMM.Min", n.NoduleMM.Min, 2, 60},
		{"Neck.NoduleMM.Max", n.NoduleMM.Max, 2, 60},
		{"Neck.NoduleWithinLogSD", n.NoduleWithinLogSD, 0, 1},
		{"Neck.Microcalcified", n.Microcalcified, 0, 1},
		{"Neck.Macrocalcified", n.Macrocalcified, 0, 1},
	}
}
