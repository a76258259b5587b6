{{/* All take (dict "root" $ "name" "image-api" "component" "api" "values" .Values.api). */}}

{{- define "image-service.name" -}}
{{ .root.Values.namePrefix }}{{ .name }}
{{- end }}

{{/* What a selector matches: never changed, because Kubernetes does not let a Deployment change it. */}}
{{- define "image-service.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "image-service.podLabels" -}}
{{ include "image-service.selector" . }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: image-service
{{- with .values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "image-service.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
app.kubernetes.io/part-of: image-service
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "image-service.metadata" -}}
name: {{ include "image-service.name" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "image-service.labels" . | nindent 2 }}
{{- end }}

{{/* The reference of an image. The values of one service come before those of all. */}}
{{- define "image-service.image" -}}
{{- $image := .values.image -}}
{{- $registry := $image.registry | default .registry -}}
{{- with $registry }}{{ . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default .tag }}{{ end }}
{{- end }}

{{- define "image-service.ourImage" -}}
{{- $all := .root.Values.image -}}
{{ include "image-service.image" (dict "values" .values "registry" $all.registry "tag" ($all.tag | default .root.Chart.AppVersion)) }}
{{- end }}

{{/* A value of an environment map as text. Helm reads numbers as floats, which would become 5.36870912e+08. */}}
{{- define "image-service.variable" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end }}

{{/* The data of a ConfigMap: `env` with what the chart sets, `more`. */}}
{{- define "image-service.environment" -}}
{{- $all := deepCopy .values.env -}}
{{- with .root.Values.host }}{{ $_ := set $all "HOST" . }}{{ end -}}
{{- /* Not by merge, for which false is no value. */}}
{{- range $name, $value := .more }}{{ $_ := set $all $name $value }}{{ end -}}
{{- range $name, $value := $all }}
{{- if not (kindIs "invalid" $value) }}
{{ $name }}: {{ include "image-service.variable" $value | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "image-service.apiEnvironment" -}}
{{- $processor := include "image-service.name" (dict "root" .root "name" "image-processor") -}}
{{- $more := dict -}}
{{- if not .values.env.PROCESSOR_URL }}{{ $_ := set $more "PROCESSOR_URL" (printf "http://%s:50051" $processor) }}{{ end -}}
{{- if .root.Values.credentials.existingSecret -}}
{{- $_ := set $more "API_KEYS_FILE" "/run/secrets/image-api/api-keys.json" -}}
{{- $_ := set $more "LINK_SECRETS_FILE" "/run/secrets/image-api/link-secrets.json" -}}
{{- end -}}
{{- include "image-service.environment" (dict "more" $more "values" .values "root" .root) }}
{{- end }}

{{- define "image-service.processorEnvironment" -}}
{{- $redis := .root.Values.redis -}}
{{- $more := dict -}}
{{- if and $redis.enabled (not $redis.existingSecret) -}}
{{- $_ := set $more "REDIS_URL" (printf "redis://%s:6379" (include "image-service.name" (dict "root" .root "name" "redis"))) -}}
{{- else if $redis.url -}}
{{- $_ := set $more "REDIS_URL" $redis.url -}}
{{- end -}}
{{- if .root.Values.networkPolicy.grpcCallers }}{{ $_ := set $more "TRUST_CALLER_METADATA" false }}{{ end -}}
{{- include "image-service.environment" (dict "more" $more "values" .values "root" .root) }}
{{- end }}

{{/* A variable that is a whole number, or what the service takes where it is unset: (list $env "NAME" 20000). */}}
{{- define "image-service.number" -}}
{{- $value := index (first .) (index . 1) -}}
{{- if or (kindIs "invalid" $value) (eq (toString $value) "") }}{{ last . }}{{ else }}{{ int64 $value }}{{ end -}}
{{- end }}

{{/* Seconds until the kubelet kills a pod: longer than it may take to end by itself. */}}
{{- define "image-service.graceSeconds" -}}
{{- $delay := include "image-service.number" (list .values.env "SHUTDOWN_DELAY_MS" 0) | int64 -}}
{{- $timeout := include "image-service.number" (list .values.env "SHUTDOWN_TIMEOUT_MS" 20000) | int64 -}}
{{- $drain := div (add $delay $timeout 999) 1000 | add .values.preStopSeconds -}}
{{- $given := .values.terminationGracePeriodSeconds -}}
{{- if kindIs "invalid" $given }}{{ add $drain 5 }}
{{- else if le (int64 $given) $drain }}
{{- fail (printf "%s.terminationGracePeriodSeconds is %d; allowed: more than %d, which preStopSeconds, SHUTDOWN_DELAY_MS and SHUTDOWN_TIMEOUT_MS take; null computes it" .component (int64 $given) $drain) }}
{{- else }}{{ $given }}{{ end -}}
{{- end }}

{{/* Of a Deployment: everything before its pods. */}}
{{- define "image-service.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  {{- include "image-service.metadata" . | nindent 2 }}
  {{- with .values.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- if not (kindIs "invalid" .values.replicas) }}
  replicas: {{ .values.replicas }}
  {{- end }}
  {{- with .values.minReadySeconds }}
  minReadySeconds: {{ . }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "image-service.selector" . | nindent 6 }}
  strategy:
    {{- toYaml .values.strategy | nindent 4 }}
{{- end }}

{{/* Of a pod: everything but its security context, containers and volumes. */}}
{{- define "image-service.pod" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if or .values.serviceAccount.create .values.serviceAccount.name }}
serviceAccountName: {{ include "image-service.serviceAccount" . }}
{{- end }}
automountServiceAccountToken: false
# No variables with the names of Services, such as REDIS_PORT, beside ours.
enableServiceLinks: false
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  {{- $spread := deepCopy . }}
  {{- if not .labelSelector }}
  {{- $_ := set $spread "labelSelector" (dict "matchLabels" (include "image-service.selector" $ | fromYaml)) }}
  {{- end }}
  - {{ toYaml $spread | nindent 4 | trim }}
  {{- end }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{- define "image-service.serviceAccount" -}}
{{ .values.serviceAccount.name | default (include "image-service.name" .) }}
{{- end }}

{{/* The environment of a container: the ConfigMap, then what the values add. */}}
{{- define "image-service.envFrom" -}}
envFrom:
  - configMapRef:
      name: {{ include "image-service.name" . }}
  {{- with .values.extraEnvFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "image-service.preStop" -}}
{{- if gt (int .values.preStopSeconds) 0 }}
lifecycle:
  preStop:
    sleep:
      seconds: {{ .values.preStopSeconds }}
{{- end }}
{{- end }}

{{- define "image-service.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* What callers need of image-api, as Kubernetes' Ingress names the kinds of paths. */}}
{{- define "image-service.paths" -}}
- { path: /v1, type: Prefix }
# Connect and gRPC-Web, which browsers speak over HTTP/1.1 and HTTP/2 alike.
- { path: /image.v1.ProcessorService, type: Prefix }
- { path: /openapi.json, type: Exact }
- { path: /problems, type: Prefix }
- { path: /docs, type: Prefix }
# What / and /docs load.
- { path: /playground, type: Prefix }
- { path: /, type: Exact }
{{- end }}

{{/* Seconds that a proxy waits: longer than the longest request, so that the caller gets our problem and not a 504. */}}
{{- define "image-service.proxySeconds" -}}
{{- $timeout := include "image-service.number" (list .Values.api.env "REQUEST_TIMEOUT_MS" 30000) | int64 -}}
{{ add (div (add $timeout 999) 1000) 5 }}
{{- end }}

{{- define "image-service.ipFamilies" -}}
{{- with .Values.ipFamilyPolicy }}
ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .Values.ipFamilies }}
ipFamilies:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
