package sswe

import (
	"cmp"
	"maps"
	"slices"
)

// Metrics is metrics.json: the study's result next to what a trivial predictor reaches. Every interval is a 95 %
// bootstrap interval over patients, unless its name says otherwise.
type Metrics struct {
	Simulated bool    `json:"simulated"` // true: every number below is a simulation's, not a clinical one
	Preset    string  `json:"preset"`
	Seed      uint64  `json:"seed"`
	Backend   string  `json:"backend"`
	Folds     int     `json:"folds,omitempty"` // of a cross-validation, whose planes are all pooled below; 0 otherwise
	NPatients int     `json:"n_patients"`
	NPlanes   int     `json:"n_planes"`
	NPixels   int     `json:"n_pixels"`
	Saturated float64 `json:"saturated_share"` // of the pixels: censored at the display limit
	Weights   int     `json:"network_weights"`

	MAEKPa    Error               `json:"mae_kpa"` // the mean over planes of each plane's mean absolute error
	RMSEKPa   float64             `json:"rmse_kpa"`
	BiasKPa   float64             `json:"bias_kpa"`
	Pearson   float64             `json:"pearson"` // over all unsaturated pixels
	Fit       Fit                 `json:"calibration"`
	Baselines map[string]Baseline `json:"baselines"`
	Best      string              `json:"best_baseline"`
	Advantage Difference          `json:"advantage_kpa"` // best baseline's error minus the network's, paired
	Skill     float64             `json:"skill"`         // 1 - MAE / MAE of the best baseline
	SkillCI95 Interval            `json:"skill_ci95"`    // the best baseline held fixed

	Predictors []Predictor `json:"predictors"` // the network, baselines, oracles and trained controls in one table
	Levels     []Levels    `json:"levels"`     // each statistic by pixel, plane and patient

	AUC         *AUC      `json:"auc"`                       // histopathology as registered; nil without
	AUCTrue     *AUC      `json:"auc_true_labels,omitempty"` // without registration error: simulated planes only
	Lesions     *Lesions  `json:"lesions,omitempty"`
	LesionsTrue *Lesions  `json:"lesions_true_labels,omitempty"`
	Overlaps    []Overlap `json:"overlaps,omitempty"` // of stiff areas with each other and with tumour

	BlandAltman         Agreement    `json:"bland_altman"`          // of plane means
	BlandAltmanPatients Agreement    `json:"bland_altman_patients"` // of patient means
	ByStiffness         []GroupError `json:"by_stiffness"`
	ByZone              []GroupError `json:"by_zone,omitempty"`
	ByDepth             []GroupError `json:"by_depth"`
	ByGrade             []GroupError `json:"by_grade,omitempty"` // ISUP grade group of the focus a pixel lies in
	BySaturation        []GroupError `json:"by_saturation"`
}

// Error is a mean absolute error with its spreads, kPa. P2 gives "4.5 ± 0.96" without saying over what: both are here.
type Error struct {
	Mean       float64  `json:"mean"`
	SDPlanes   float64  `json:"sd_planes"`
	SDPatients float64  `json:"sd_patients"`
	CI95       Interval `json:"ci95"`
}

// Baseline is a trivial predictor's error, kPa.
type Baseline struct {
	MAEKPa float64  `json:"mae_kpa"`
	CI95   Interval `json:"ci95"`
}

// Difference is a paired difference.
type Difference struct {
	Mean float64  `json:"mean"`
	CI95 Interval `json:"ci95"`
}

// Fit is the line synthetic = Slope x measured + Intercept over unsaturated pixels: slope 1 is calibrated, less is
// regression to the mean.
type Fit struct {
	Slope        float64 `json:"slope"`
	InterceptKPa float64 `json:"intercept_kpa"`
}

// The kinds of a Predictor.
const (
	KindNetwork  = "network"
	KindBaseline = "baseline" // learned from the training planes' stiffness without a network
	KindControl  = "control"  // a network trained on what can't work, such as other patients' images
	KindOracle   = "oracle"   // knows the test plane's own stiffness: no predictor, a yardstick
)

// Predictor is a row of the result table: how well something predicts the measured stiffness of the test planes.
type Predictor struct {
	Name    string    `json:"name"`
	Kind    string    `json:"kind"`
	MAEKPa  Estimate  `json:"mae_kpa"`           // over planes, as Metrics.MAEKPa
	RMSEKPa Estimate  `json:"rmse_kpa"`          // over pixels
	BiasKPa Estimate  `json:"bias_kpa"`          // over pixels
	Pearson *Estimate `json:"pearson,omitempty"` // over unsaturated pixels; nil for a constant
	Skill   Estimate  `json:"skill"`             // against the best baseline, held fixed
	AUC     *Estimate `json:"auc,omitempty"`     // of tumour tiles, histopathology as registered
}

// Levels is one statistic, computed over all pixels, as the mean over planes and as the mean over patients (each
// patient's pixels together). A level that the statistic does not have is nil.
type Levels struct {
	Name    string `json:"name"`
	Unit    string `json:"unit,omitempty"`
	Pixel   *Level `json:"pixel,omitempty"`
	Plane   *Level `json:"plane,omitempty"`
	Patient *Level `json:"patient,omitempty"`
}

// Level is a statistic's value at one level.
type Level struct {
	Estimate
	SD float64 `json:"sd,omitempty"` // over planes or patients
}

// Agreement is Bland and Altman's: synthetic minus measured means, with limits of 1.96 standard deviations, kPa. Over
// planes the variance is that between patients plus that within them (2007); over patients, who are independent, the
// intervals are the exact ones of 1986.
type Agreement struct {
	BiasKPa     float64  `json:"bias_kpa"`
	LowerKPa    float64  `json:"lower_kpa"`
	UpperKPa    float64  `json:"upper_kpa"`
	BiasCI95    Interval `json:"bias_ci95"`
	LowerCI95   Interval `json:"lower_ci95"`
	UpperCI95   Interval `json:"upper_ci95"`
	Differences int      `json:"differences"`
}

// AUC compares measured and synthetic stiffness as tests for tumour on the same tiles.
type AUC struct {
	SWE            AUCValue   `json:"swe"`
	SSWE           AUCValue   `json:"sswe"`
	Loss           Difference `json:"swe_minus_sswe"`
	LossP          *float64   `json:"swe_minus_sswe_p,omitempty"` // Obuchowski's clustered paired test, two-sided
	TumourTiles    int        `json:"tumour_tiles"`
	BenignTiles    int        `json:"benign_tiles"`
	TumourPatients int        `json:"tumour_patients"` // patients with a tumour tile
	PixelSWE       *Estimate  `json:"pixel_swe,omitempty"`
	PixelSSWE      *Estimate  `json:"pixel_sswe,omitempty"`
}

// AUCValue is an area under the ROC curve and the operating points.
type AUCValue struct {
	AUC         float64    `json:"auc"`
	CI95        Interval   `json:"ci95"`
	SE          float64    `json:"se_clustered,omitempty"` // Obuchowski's standard error
	CutKPa      float64    `json:"cut_kpa"`
	Sensitivity float64    `json:"sensitivity"`
	Specificity float64    `json:"specificity"`
	AtClinical  Operating  `json:"at_clinical_cut"`      // at CutKPa
	AtOwn       *Operating `json:"at_own_cut,omitempty"` // at the training tiles' Youden cut
}

// Operating is how "stiffer than a cut" does. Wilson's intervals take tiles for independent and are too narrow; those
// over patients are the honest ones, as long as there are patients enough.
type Operating struct {
	CutKPa            float64  `json:"cut_kpa"`
	Sensitivity       Estimate `json:"sensitivity"`
	Specificity       Estimate `json:"specificity"`
	SensitivityWilson Interval `json:"sensitivity_wilson95"`
	SpecificityWilson Interval `json:"specificity_wilson95"`
}

// Lesions compares tumour foci with the benign gland of the same plane, in the measured and the synthetic image.
type Lesions struct {
	Count    int         `json:"count"` // foci seen in a plane, at least as large as a disc of TileMM
	Patients int         `json:"patients"`
	SWE      LesionMeans `json:"swe"`
	SSWE     LesionMeans `json:"sswe"`
	// ContrastErrorKPa is the synthetic contrast minus the measured one.
	ContrastErrorKPa Estimate      `json:"contrast_error_kpa"`
	ByGrade          []LesionGrade `json:"by_grade,omitempty"`
}

// LesionMeans are means over lesions.
type LesionMeans struct {
	ContrastKPa Estimate `json:"contrast_kpa"` // lesion's mean minus background's
	Ratio       Estimate `json:"ratio"`
	CNR         Estimate `json:"cnr"`
	GCNR        Estimate `json:"gcnr"`
}

// LesionGrade is the lesions of one ISUP grade group.
type LesionGrade struct {
	Grade        int      `json:"isup_grade_group"`
	Count        int      `json:"count"`
	Patients     int      `json:"patients"`
	SWEKPa       Estimate `json:"swe_kpa"` // mean over lesions of their means
	SSWEKPa      Estimate `json:"sswe_kpa"`
	SWEContrast  Estimate `json:"swe_contrast_kpa"`
	SSWEContrast Estimate `json:"sswe_contrast_kpa"`
	SWEStiff     int      `json:"swe_stiff"` // lesions whose mean exceeds StiffKPa
	SSWEStiff    int      `json:"sswe_stiff"`
}

// Overlap is the Dice coefficient of two areas, over all pixels.
type Overlap struct {
	Of     string   `json:"of"`
	With   string   `json:"with"`
	Labels string   `json:"labels,omitempty"` // "registered" or "true" where one of them is tumour
	CutKPa float64  `json:"cut_kpa"`
	Dice   Estimate `json:"dice"`
}

// GroupError is the error within a group of pixels.
type GroupError struct {
	Group    string   `json:"group"`
	MAEKPa   float64  `json:"mae_kpa"`
	CI95     Interval `json:"ci95"`
	BiasKPa  float64  `json:"bias_kpa"`
	BiasCI95 Interval `json:"bias_ci95"`
	Pixels   int      `json:"pixels"`
	Patients int      `json:"patients"`
}

// BaselineNames lists the baselines from the best to the worst.
func (m Metrics) BaselineNames() []string {
	names := slices.Sorted(maps.Keys(m.Baselines))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(m.Baselines[a].MAEKPa, m.Baselines[b].MAEKPa) })
	return names
}

// SaturatedPercent is Saturated in percent.
func (m Metrics) SaturatedPercent() float64 { return 100 * m.Saturated }
