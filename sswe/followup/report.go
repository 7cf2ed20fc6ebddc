package followup

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"

	"elastography/data"
	"elastography/sswe"
)

// Report is the follow-up's one table and what its figures are drawn from.
type Report struct {
	Base        string       `json:"preset"`
	Patients    int          `json:"patients"` // of each cohort
	Seed        uint64       `json:"seed"`
	Rows        []Row        `json:"rows"`
	Scanners    Scanners     `json:"scanners"`
	Uncertainty *Uncertainty `json:"uncertainty,omitempty"`
}

// save writes followup.csv, followup.json and followup.md.
func (r *Report) save(dir string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the follow-up's report: %w", err)
	}
	for name, b := range map[string][]byte{"followup.csv": r.csv(), "followup.md": []byte(r.Markdown()), "followup.json": append(text, '\n')} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("write the follow-up's report: %w", err)
		}
		if err := renameio.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return fmt.Errorf("write the follow-up's report: %w", err)
		}
	}
	return nil
}

// Open reads the report of a finished follow-up study.
func Open(dir string) (*Report, error) {
	path := filepath.Join(dir, "followup.json")
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: not made yet; make it with `go run . followup --out %s`", path, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read the follow-up's report: %w", err)
	}
	r := &Report{}
	if err := json.Unmarshal(b, r); err != nil {
		return nil, fmt.Errorf("%s: %w: %v; delete it and run the follow-up again", path, data.ErrDamaged, err)
	}
	return r, nil
}

func (r *Report) csv() []byte {
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	records := [][]string{{"group", "arm", "tested_on", "mae_kpa", "low_kpa", "high_kpa", "best_baseline", "baseline_kpa", "skill",
		"auc_sswe", "auc_swe", "tumour_bias_kpa", "against_reference_kpa", "against_low_kpa", "against_high_kpa"}}
	for _, row := range r.Rows {
		against := []string{"", "", ""}
		if d := row.Against; d != nil {
			against = []string{number(d.Mean), number(d.CI95[0]), number(d.CI95[1])}
		}
		records = append(records, append([]string{row.Group, row.Name, row.Tests, number(row.MAEKPa), number(row.CI95[0]), number(row.CI95[1]),
			row.BestBaseline, number(row.BaselineKPa), number(row.Skill), number(row.SSWEAUC), number(row.SWEAUC), number(row.LesionBiasKPa)}, against...))
	}
	var b bytes.Buffer
	_ = csv.NewWriter(&b).WriteAll(records) // a bytes.Buffer never fails
	return b.Bytes()
}

// Markdown is followup.md.
func (r *Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Follow-up study (simulated patients)\n\nPreset %s, %d patients a cohort, first seed %d. Every number is of a simulation. Intervals are 95 %% bootstrap "+
		"intervals over patients. \"Against\" is an arm's error minus the reference's on the same planes: below 0 is better. With %d arms compared, one interval in "+
		"twenty misses 0 by chance. One group of rows alone: `go run . followup --groups GROUP --members 0`, GROUP as in the first column.\n\n", r.Base, r.Patients, r.Seed, len(r.Rows))
	b.WriteString("| varied | arm | tested on | MAE, kPa | best baseline, kPa | skill | AUC sSWE (SWE) | bias in tumour, kPa | against reference, kPa |\n|---|---|---|---|---|---|---|---|---|\n")
	for _, row := range r.Rows {
		auc, against := "–", "–"
		if row.SWEAUC > 0 {
			auc = fmt.Sprintf("%.2f (%.2f)", row.SSWEAUC, row.SWEAUC)
		}
		if d := row.Against; d != nil {
			against = fmt.Sprintf("%+.2f (%+.2f to %+.2f)", d.Mean, d.CI95[0], d.CI95[1])
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %.2f (%.2f to %.2f) | %s %.2f | %.2f | %s | %+.1f | %s |\n", row.Group, row.Note, row.Tests, row.MAEKPa, row.CI95[0], row.CI95[1],
			row.BestBaseline, row.BaselineKPa, row.Skill, auc, row.LesionBiasKPa, against)
	}
	b.WriteString(r.seeds())
	if len(r.Scanners.Networks) > 0 {
		b.WriteString("\n## Two scanners in the latent space\n\n| network | neighbours of the other scanner, 1 as by chance | scanner told by a linear probe, AUC | tumour in the plane, AUC |\n|---|---|---|---|\n")
		for _, n := range r.Scanners.Networks {
			tumour := "–"
			if n.TumourAUC != nil {
				tumour = fmt.Sprintf("%.2f", *n.TumourAUC)
			}
			fmt.Fprintf(&b, "| %s | %.2f | %.2f | %s |\n", n.Network, n.Mixing, n.ScannerAUC, tumour)
		}
	}
	if u := r.Uncertainty; u != nil {
		falls := "falls at every step"
		if rise := u.Rise(); rise > 0 {
			falls = fmt.Sprintf("does not fall at every step: it rises by up to %.3f kPa", rise)
		}
		fmt.Fprintf(&b, "\n## Uncertainty\n\nEnsemble of %d cross-validated members: MAE %.2f kPa (single members %s). Intervals of %.0f %% cover %.1f %% of the test pixels after calibration "+
			"on left-out training patients (%.1f %% before) and are %.1f kPa wide on average. Rank correlation of scale and error %.2f; area between the sparsification curve and the best possible one %.2f kPa. "+
			"As the most uncertain pixels are taken away, the error of the rest %s.\n",
			u.Members, u.EnsembleMAEKPa, list(u.MemberMAEKPa), 100*u.Level, 100*u.Coverage, 100*u.RawCoverage, u.MeanWidthKPa, u.Rank, u.AUSE, falls)
	}
	return b.String()
}

// seeds is the section on the reference and the arms that differ in nothing but chance: each beside every baseline.
func (r *Report) seeds() string {
	var b strings.Builder
	for _, row := range r.Rows {
		if row.Tests != Own || row.Group != Reference && row.Group != "seed" {
			continue
		}
		if b.Len() == 0 {
			b.WriteString("\n## Seeds\n\nThe network minus each trivial predictor is paired over patients; below 0 the network is better.\n\n| arm | MAE, kPa | skill against the best | AUC of SWE | AUC of sSWE |")
			for _, base := range row.Baselines {
				fmt.Fprintf(&b, " %s, kPa | network minus it |", base.Name)
			}
			b.WriteString("\n|---|---|---|---|---|" + strings.Repeat("---|---|", len(row.Baselines)) + "\n")
		}
		within := func(format string, v float64, ci sswe.Interval) string {
			return fmt.Sprintf(format+" ("+format+" to "+format+")", v, ci[0], ci[1])
		}
		auc := []string{"–", "–"}
		if row.SWEAUC > 0 {
			auc = []string{within("%.2f", row.SWEAUC, row.SWEAUCCI95), within("%.2f", row.SSWEAUC, row.SSWEAUCCI95)}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |", row.Name, within("%.2f", row.MAEKPa, row.CI95), within("%.2f", row.Skill, row.SkillCI95), auc[0], auc[1])
		for _, base := range row.Baselines {
			fmt.Fprintf(&b, " %s | %s |", within("%.2f", base.MAEKPa, base.CI95), within("%+.2f", base.Against.Mean, base.Against.CI95))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func list(values []float64) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprintf("%.2f", v)
	}
	return strings.Join(words, ", ")
}
