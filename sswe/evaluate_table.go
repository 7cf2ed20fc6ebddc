package sswe

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Table is a part of an evaluation as a reader sees it: on the terminal, in evaluation.md and in the report.
type Table struct {
	Title  string
	Note   string // how to read it
	Header []string
	Rows   [][]string
	Strong int // the row, from 0, that the study is about; -1 for none
}

// Tables are the whole evaluation in the order of a paper: error, agreement, tumours, where the errors are. Metrics that
// were written before there were tables have none.
func (m Metrics) Tables() []Table {
	if len(m.Predictors) == 0 {
		return nil
	}
	list := []Table{m.predictorTable(), m.levelTable(), m.agreementTable()}
	if m.AUC != nil {
		list = append(list, m.tumourTable(), m.operatingTable())
	}
	if m.Lesions != nil {
		list = append(list, m.lesionTable())
	}
	if m.Lesions != nil && len(m.Lesions.ByGrade) > 0 {
		list = append(list, m.gradeTable())
	}
	if len(m.Overlaps) > 0 {
		list = append(list, m.overlapTable())
	}
	return append(list, m.groupTable())
}

func (m Metrics) predictorTable() Table {
	t := Table{Title: "The network beside trivial predictors, controls and oracles", Header: []string{"predictor", "MAE, kPa", "RMSE, kPa", "bias, kPa", "Pearson", "skill", "tumour AUC"},
		Note: fmt.Sprintf("%d planes of %d patients. The network's MAE, a mean over planes, is %s kPa below the best baseline's (%s), paired; skill is 1 − MAE / MAE of that baseline. "+
			"Baselines are medians of the training planes: overall, at each depth, of each zone (knows the anatomy), at each grey level. "+
			"Oracles know the test plane's own stiffness: they are yardsticks, not rivals.", m.NPlanes, m.NPatients, Estimate{m.Advantage.Mean, m.Advantage.CI95}.text(2), m.Best)}
	for _, p := range m.Predictors {
		name := p.Name
		if p.Kind != KindNetwork {
			name = p.Kind + " " + name
		}
		t.Rows = append(t.Rows, []string{name, p.MAEKPa.text(2), p.RMSEKPa.text(2), p.BiasKPa.signed(2), p.Pearson.orDash(2), p.Skill.signed(2), p.AUC.orDash(2)})
	}
	return t
}

func (m Metrics) levelTable() Table {
	t := Table{Title: "Agreement with the measured elastogram", Header: []string{"statistic", "over all pixels", "mean over planes", "mean over patients"}, Strong: -1,
		Note: fmt.Sprintf("± is the standard deviation over planes or patients. %d pixels, %.1f %% of them at the display limit: these are censored in the errors and left out of correlations. "+
			"SSIM (Gaussian window, 1.5 pixels) and PSNR are for the display range and the valid pixels alone.", m.NPixels, m.SaturatedPercent())}
	for _, l := range m.Levels {
		name, digits := l.Name, 2
		if l.Unit != "" {
			name += ", " + l.Unit
		}
		t.Rows = append(t.Rows, []string{name, l.Pixel.text(digits), l.Plane.text(digits), l.Patient.text(digits)})
	}
	return t
}

func (m Metrics) agreementTable() Table {
	t := Table{Title: "Bland-Altman, synthetic minus measured mean stiffness, kPa", Header: []string{"means of", "n", "bias", "lower limit", "upper limit"}, Strong: -1,
		Note: "Planes: variance between and within patients, intervals by bootstrap over patients. Patients: exact intervals."}
	for _, a := range []struct {
		name string
		of   Agreement
	}{{"planes", m.BlandAltman}, {"patients", m.BlandAltmanPatients}} {
		t.Rows = append(t.Rows, []string{a.name, fmt.Sprint(a.of.Differences), Estimate{a.of.BiasKPa, a.of.BiasCI95}.signed(2),
			Estimate{a.of.LowerKPa, a.of.LowerCI95}.signed(2), Estimate{a.of.UpperKPa, a.of.UpperCI95}.signed(2)})
	}
	return t
}

// labelled is what an evaluation says under one version of histopathology; nil parts were not to be had.
type labelled struct {
	name    string
	auc     *AUC
	lesions *Lesions
}

func (m Metrics) labellings() []labelled {
	return []labelled{{"as registered", m.AUC, m.Lesions}, {"true (simulated)", m.AUCTrue, m.LesionsTrue}}
}

func (m Metrics) tumourTable() Table {
	t := Table{Title: "Stiffness as a test for tumour: area under the ROC curve", Header: []string{"labels", "tiles", "SWE", "sSWE", "SWE − sSWE", "p", "SWE, pixels", "sSWE, pixels"}, Strong: -1,
		Note: "Both images on the same tiles of the gland, tumour + benign. Intervals by bootstrap over patients; p is Obuchowski's paired test for clustered data."}
	for _, l := range m.labellings() {
		if a := l.auc; a != nil {
			p := "–"
			if a.LossP != nil {
				p = fmt.Sprintf("%.3f", *a.LossP)
			}
			if p == "0.000" {
				p = "<0.001"
			}
			t.Rows = append(t.Rows, []string{l.name, fmt.Sprintf("%d + %d", a.TumourTiles, a.BenignTiles), Estimate{a.SWE.AUC, a.SWE.CI95}.text(2), Estimate{a.SSWE.AUC, a.SSWE.CI95}.text(2),
				Estimate{a.Loss.Mean, a.Loss.CI95}.signed(2), p, a.PixelSWE.orDash(2), a.PixelSSWE.orDash(2)})
		}
	}
	return t
}

func (m Metrics) operatingTable() Table {
	t := Table{Title: "Sensitivity and specificity of a cut", Header: []string{"image", "labels", "cut, kPa", "sensitivity", "specificity", "Wilson, sens.", "Wilson, spec."}, Strong: -1,
		Note: "The clinical cut, then the one that serves the training patients best (Youden). Wilson's intervals take tiles for independent and are too narrow."}
	for _, l := range m.labellings() {
		if l.auc == nil {
			continue
		}
		for _, image := range []struct {
			name string
			of   AUCValue
		}{{"SWE", l.auc.SWE}, {"sSWE", l.auc.SSWE}} {
			for _, o := range []*Operating{&image.of.AtClinical, image.of.AtOwn} {
				if o != nil {
					t.Rows = append(t.Rows, []string{image.name, l.name, fmt.Sprintf("%.1f", o.CutKPa), o.Sensitivity.text(2), o.Specificity.text(2),
						span(o.SensitivityWilson, "%.2f"), span(o.SpecificityWilson, "%.2f")})
				}
			}
		}
	}
	return t
}

func (m Metrics) lesionTable() Table {
	t := Table{Title: "Lesions against the benign gland of their plane", Header: []string{"image", "labels", "lesions", "contrast, kPa", "ratio", "CNR", "gCNR"}, Strong: -1}
	for _, l := range m.labellings() {
		if l.lesions == nil {
			continue
		}
		for _, image := range []struct {
			name string
			of   LesionMeans
		}{{"SWE", l.lesions.SWE}, {"sSWE", l.lesions.SSWE}} {
			t.Rows = append(t.Rows, []string{image.name, l.name, fmt.Sprint(l.lesions.Count), image.of.ContrastKPa.signed(1), image.of.Ratio.text(2), image.of.CNR.text(2), image.of.GCNR.text(2)})
		}
		t.Rows = append(t.Rows, []string{"sSWE − SWE", l.name, "", l.lesions.ContrastErrorKPa.signed(1), "", "", ""})
	}
	t.Note = fmt.Sprintf("Means over foci, of %d patients, whose area in view is at least a disc as wide as a tile. CNR and gCNR have no sign and are above 0 by chance; gCNR is from bins of %g kPa.",
		m.Lesions.Patients, gcnrBinKPa)
	return t
}

func (m Metrics) gradeTable() Table {
	t := Table{Title: "Lesions by grade, histopathology as registered", Header: []string{"ISUP", "lesions", "patients", "SWE, kPa", "sSWE, kPa", "contrast SWE", "contrast sSWE", "stiff in SWE", "stiff in sSWE"}, Strong: -1,
		Note: "Stiff: the lesion's mean is above the clinical cut."}
	for _, g := range m.Lesions.ByGrade {
		t.Rows = append(t.Rows, []string{fmt.Sprint(g.Grade), fmt.Sprint(g.Count), fmt.Sprint(g.Patients), g.SWEKPa.text(1), g.SSWEKPa.text(1), g.SWEContrast.signed(1), g.SSWEContrast.signed(1),
			fmt.Sprintf("%d of %d", g.SWEStiff, g.Count), fmt.Sprintf("%d of %d", g.SSWEStiff, g.Count)})
	}
	return t
}

func (m Metrics) overlapTable() Table {
	t := Table{Title: fmt.Sprintf("Overlap of areas stiffer than %g kPa (Dice)", m.Overlaps[0].CutKPa), Header: []string{"area", "with", "labels", "Dice"}, Strong: -1}
	for _, o := range m.Overlaps {
		t.Rows = append(t.Rows, []string{o.Of, o.With, o.Labels, o.Dice.text(2)})
	}
	return t
}

func (m Metrics) groupTable() Table {
	t := Table{Title: "Where the errors are", Header: []string{"by", "group", "pixels", "patients", "MAE, kPa", "bias, kPa"}, Strong: -1, Note: "Errors of pixels, pooled; no interval where all are of one patient."}
	for _, f := range []struct {
		by     string
		groups []GroupError
	}{{"measured stiffness", m.ByStiffness}, {"depth", m.ByDepth}, {"zone", m.ByZone}, {"grade", m.ByGrade}, {"saturation", m.BySaturation}} {
		for _, g := range f.groups {
			t.Rows = append(t.Rows, []string{f.by, g.Group, fmt.Sprint(g.Pixels), fmt.Sprint(g.Patients), Estimate{g.MAEKPa, g.CI95}.text(2), Estimate{g.BiasKPa, g.BiasCI95}.signed(2)})
		}
	}
	return t
}

func (e Estimate) text(digits int) string   { return e.format(fmt.Sprintf("%%.%df", digits)) }
func (e Estimate) signed(digits int) string { return e.format(fmt.Sprintf("%%+.%df", digits)) }

// format writes "5.75 (4.70 to 6.97)", without brackets where there is no spread, as with one patient.
func (e Estimate) format(verb string) string {
	if e.CI95[1]-e.CI95[0] < 1e-9 {
		return minus(fmt.Sprintf(verb, e.Value))
	}
	return minus(fmt.Sprintf(verb, e.Value)) + " (" + span(e.CI95, verb) + ")"
}

func span(i Interval, verb string) string { return minus(fmt.Sprintf(verb+" to "+verb, i[0], i[1])) }

// minus sets a minus sign as wide as a plus.
func minus(number string) string { return strings.ReplaceAll(number, "-", "−") }

func (e *Estimate) orDash(digits int) string {
	if e == nil {
		return "–"
	}
	return e.text(digits)
}

func (l *Level) text(digits int) string {
	if l == nil {
		return "–"
	}
	verb := fmt.Sprintf("%%.%df", digits)
	if l.SD == 0 {
		return l.format(verb)
	}
	return minus(fmt.Sprintf(verb+" ± "+verb, l.Value, l.SD)) + " (" + span(l.CI95, verb) + ")"
}

// source says in one line what the numbers are about.
func (m Metrics) source() string {
	what := "Imported planes."
	if m.Simulated {
		what = "SIMULATED planes: no clinical result."
	}
	if m.Folds > 0 {
		what += fmt.Sprintf(" Cross-validated: each of %d networks draws the patients that it was not trained on.", m.Folds)
	}
	return fmt.Sprintf("%s Preset %s, seed %d. Brackets hold 95 %% intervals, by bootstrap over the %d test patients unless said otherwise.", what, m.Preset, m.Seed, m.NPatients)
}

// Markdown is evaluation.md.
func (m Metrics) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Evaluation\n\n%s Research software, not a medical device.\n", m.source())
	for _, t := range m.Tables() {
		b.WriteString(t.markdown())
	}
	return b.String()
}

func (t Table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n", t.Title)
	if t.Note != "" {
		fmt.Fprintf(&b, "%s\n\n", t.Note)
	}
	fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(t.Header, " | "), strings.Repeat("---|", len(t.Header)))
	for k, row := range t.Rows {
		if k == t.Strong {
			row = append([]string{"**" + row[0] + "**"}, row[1:]...)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return b.String()
}

// Text is the whole evaluation for a terminal.
func (m Metrics) Text() string {
	var b strings.Builder
	b.WriteString(m.source() + "\n")
	for _, t := range m.Tables() {
		b.WriteString(t.Text())
	}
	return b.String()
}

// Text is the table for a terminal: its columns aligned by the letters they hold, its note below.
func (t Table) Text() string {
	width := make([]int, len(t.Header))
	lines := append([][]string{t.Header}, t.Rows...)
	for _, line := range lines {
		for k, cell := range line {
			width[k] = max(width[k], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	b.WriteString("\n" + t.Title + "\n")
	for i, line := range lines {
		var row strings.Builder
		for k, cell := range line {
			row.WriteString("  " + cell + strings.Repeat(" ", width[k]-utf8.RuneCountInString(cell)))
		}
		b.WriteString(strings.TrimRight(row.String(), " ") + "\n")
		if i == 0 {
			for _, w := range width {
				b.WriteString("  " + strings.Repeat("─", w))
			}
			b.WriteString("\n")
		}
	}
	if t.Note != "" {
		b.WriteString("  " + t.Note + "\n")
	}
	return b.String()
}
