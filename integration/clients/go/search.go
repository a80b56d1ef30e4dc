// A client that knows only Lockstep's .proto files: asks a tuner for trials, several at once, evaluates them itself and tells what came of them.
//
// usage: search HOST:PORT STUDY-ID
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	tuner "lockstep.dev/search/gen/lockstep/tuner/v1"
)

const workers = 4

func main() {
	connection, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	client := tuner.NewTunerServiceClient(connection)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	maxTrials := uint32(20)
	study, err := client.CreateStudy(ctx, &tuner.CreateStudyRequest{StudyId: os.Args[2], RequestId: "go-" + os.Args[2], Spec: &tuner.StudySpec{
		Space: &tuner.StudySpec_SearchSpace{SearchSpace: &tuner.SearchSpace{Parameters: []*tuner.Parameter{
			{Name: "x", Kind: &tuner.Parameter_FloatRange{FloatRange: &tuner.FloatRange{Min: -1, Max: 1}}},
			{Name: "n", Kind: &tuner.Parameter_IntRange{IntRange: &tuner.IntRange{Min: 1, Max: 8}}},
		}}},
		Objectives: []*tuner.Objective{{Metric: "loss"}},
		Algorithm:  &tuner.StudySpec_RandomSearch{RandomSearch: &tuner.RandomSearch{}},
		MaxTrials:  &maxTrials,
	}})
	if err != nil {
		log.Fatal(err)
	}

	var group sync.WaitGroup
	for worker := range workers {
		group.Go(func() { evaluate(ctx, client, study.Name, fmt.Sprintf("go %d", worker)) })
	}
	group.Wait()

	best, err := client.ListBestTrials(ctx, &tuner.ListBestTrialsRequest{Parent: study.Name})
	if err != nil {
		log.Fatal(err)
	}
	study, err = client.GetStudy(ctx, &tuner.GetStudyRequest{Name: study.Name})
	if err != nil {
		log.Fatal(err)
	}
	told, _ := json.Marshal(map[string]any{"best": best.Trials[0].GetSucceeded().Scores[0], "succeeded": study.Trials.Succeeded, "completed": study.GetCompleted() != nil})
	fmt.Println(string(told))
}

// Evaluates trials, epoch by epoch, until there are no more.
func evaluate(ctx context.Context, client tuner.TunerServiceClient, study, id string) {
	for {
		answer, err := client.SuggestTrials(ctx, &tuner.SuggestTrialsRequest{Parent: study, ClientId: id})
		if err != nil {
			log.Fatal(err)
		}
		if answer.GetOver() != nil {
			return
		}
		for _, trial := range answer.GetSuggested().GetTrials() {
			x, n := trial.Values[0].Value.GetFloatValue(), trial.Values[1].Value.GetIntValue()
			for epoch := uint32(1); epoch <= 3; epoch++ {
				loss := math.Abs(x) + float64(n) + 1/float64(epoch)
				report, err := client.ReportMeasurement(ctx, &tuner.ReportMeasurementRequest{Trial: trial.Name, ClientId: id, Measurement: &tuner.Measurement{
					Epoch: epoch, Metrics: []*tuner.Metric{{Name: "loss", Value: loss}},
				}})
				if err != nil {
					log.Fatal(err)
				}
				if report.Stop != nil {
					break
				}
			}
			if _, err := client.CompleteTrial(ctx, &tuner.CompleteTrialRequest{Trial: trial.Name, ClientId: id, Outcome: &tuner.CompleteTrialRequest_Success{Success: &tuner.Success{}}}); err != nil {
				log.Fatal(err)
			}
		}
	}
}
