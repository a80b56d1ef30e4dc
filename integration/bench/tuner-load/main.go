// Clients of a tuner that ask, report and tell: the load of the suite tuner.
//
// usage: tuner-load PLAN
//
// PLAN is JSON, with one of seconds and trials:
//
//	{
//	  "address": "127.0.0.1:7070",  the tuner's
//	  "clients": 500,               a multiple of 10: so many work on one study until it is complete, and then on the next
//	  "thinkMs": 460,               mean time that a client takes between two calls; default: none
//	  "rampSeconds": 10,            what ends in it, while everybody comes at once, is not counted; default: 0
//	  "seconds": 30,                to be counted
//	  "trials": 100000              to be counted
//	}
//
// Prints {"progress": trials} for each 1,000 trials and, as its last line, {"rpcs", "trials", "seconds", "p50Ms", "p99Ms", "maxMs"}. Latencies are of
// all calls that asked, reported or told, but for those that waited for others: who asks for a trial when all are given out is answered when the last
// one has ended. A call that fails ends everything: stderr says which, and the exit code is 1; it is 2 for a plan that cannot be read.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
)

type plan struct {
	Address     string  `json:"address"`
	Clients     int     `json:"clients"`
	ThinkMs     float64 `json:"thinkMs"`
	RampSeconds float64 `json:"rampSeconds"`
	Seconds     float64 `json:"seconds"`
	Trials      int64   `json:"trials"`
}

func parsePlan(text string) (plan, error) {
	var p plan
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&p); err != nil {
		return plan{}, err
	}
	switch {
	case p.Address == "":
		return plan{}, errors.New("address is missing")
	case p.Clients <= 0 || p.Clients%clientsPerStudy != 0:
		return plan{}, fmt.Errorf("clients is %d and must be a positive multiple of %d", p.Clients, clientsPerStudy)
	case p.ThinkMs < 0 || p.RampSeconds < 0 || p.Seconds < 0 || p.Trials < 0:
		return plan{}, errors.New("thinkMs, rampSeconds, seconds and trials must not be negative")
	case (p.Seconds > 0) == (p.Trials > 0):
		return plan{}, errors.New("one of seconds and trials must be given")
	}
	return p, nil
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("tuner-load: ")
	if len(os.Args) != 2 {
		log.Print("usage: tuner-load PLAN")
		os.Exit(2)
	}
	p, err := parsePlan(os.Args[1])
	if err != nil {
		log.Printf("the plan %s: %v", os.Args[1], err)
		os.Exit(2)
	}
	measured, err := run(p)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(measured); err != nil {
		log.Fatal(err)
	}
}
