//! The common policy templates of SAM: what they allow, and on which resources.

/// One statement of a template: its actions, then its resources. `{name}` is a parameter of the template; `@` is the
/// region and the account, which the ARNs of most services have.
pub type Statement = (&'static [&'static str], &'static [&'static str]);

const TABLE: &[&str] = &["dynamodb:@:table/{TableName}", "dynamodb:@:table/{TableName}/index/*"];
const BUCKET: &[&str] = &["s3:::{BucketName}", "s3:::{BucketName}/*"];
const QUEUE: &[&str] = &["sqs:@:{QueueName}"];
const STREAM: &[&str] = &["kinesis:@:stream/{StreamName}"];
const IDENTITY: &[&str] = &["ses:@:identity/{IdentityName}"];
const KEY: &[&str] = &["kms:@:key/{KeyId}"];
const ANY: &[&str] = &["*"];
const READ_PARAMETERS: &[&str] = &["ssm:GetParameters", "ssm:GetParameter", "ssm:GetParametersByPath"];

/// The statements of a template; `None` for one that is not listed here.
pub fn statements(template: &str) -> Option<&'static [Statement]> {
    TEMPLATES.iter().find(|(name, _)| *name == template).map(|(_, statements)| *statements)
}

/// The names of a template's parameters.
pub fn parameters(statements: &[Statement]) -> Vec<&'static str> {
    let texts = statements.iter().flat_map(|(_, resources)| resources.iter());
    let mut names: Vec<&str> =
        texts.flat_map(|text| text.split('{').skip(1).filter_map(|rest| rest.split('}').next())).collect();
    names.sort_unstable();
    names.dedup();
    names
}

const TEMPLATES: &[(&str, &[Statement])] = &[
    (
        "DynamoDBCrudPolicy",
        &[(
            &[
                "dynamodb:GetItem",
                "dynamodb:DeleteItem",
                "dynamodb:PutItem",
                "dynamodb:Scan",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
                "dynamodb:BatchWriteItem",
                "dynamodb:BatchGetItem",
                "dynamodb:DescribeTable",
                "dynamodb:ConditionCheckItem",
            ],
            TABLE,
        )],
    ),
    (
        "DynamoDBReadPolicy",
        &[(
            &["dynamodb:GetItem", "dynamodb:Scan", "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:DescribeTable"],
            TABLE,
        )],
    ),
    ("DynamoDBWritePolicy", &[(&["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"], TABLE)]),
    ("DynamoDBReconfigurePolicy", &[(&["dynamodb:UpdateTable"], &["dynamodb:@:table/{TableName}"])]),
    (
        "DynamoDBStreamReadPolicy",
        &[
            (
                &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
                &["dynamodb:@:table/{TableName}/stream/{StreamName}"],
            ),
            (&["dynamodb:ListStreams"], &["dynamodb:@:table/{TableName}/stream/*"]),
        ],
    ),
    (
        "S3ReadPolicy",
        &[(
            &[
                "s3:GetObject",
                "s3:ListBucket",
                "s3:GetBucketLocation",
                "s3:GetObjectVersion",
                "s3:GetLifecycleConfiguration",
            ],
            BUCKET,
        )],
    ),
    ("S3WritePolicy", &[(&["s3:PutObject", "s3:PutObjectAcl", "s3:PutLifecycleConfiguration"], BUCKET)]),
    (
        "S3CrudPolicy",
        &[(
            &[
                "s3:GetObject",
                "s3:ListBucket",
                "s3:GetBucketLocation",
                "s3:GetObjectVersion",
                "s3:PutObject",
                "s3:PutObjectAcl",
                "s3:GetLifecycleConfiguration",
                "s3:PutLifecycleConfiguration",
                "s3:DeleteObject",
            ],
            BUCKET,
        )],
    ),
    (
        "SQSPollerPolicy",
        &[(
            &[
                "sqs:ChangeMessageVisibility",
                "sqs:ChangeMessageVisibilityBatch",
                "sqs:DeleteMessage",
                "sqs:DeleteMessageBatch",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
            ],
            QUEUE,
        )],
    ),
    ("SQSSendMessagePolicy", &[(&["sqs:SendMessage*"], QUEUE)]),
    ("SNSPublishMessagePolicy", &[(&["sns:Publish"], &["sns:@:{TopicName}"])]),
    (
        "SNSCrudPolicy",
        &[(
            &[
                "sns:ListSubscriptionsByTopic",
                "sns:CreateTopic",
                "sns:SetTopicAttributes",
                "sns:Subscribe",
                "sns:Publish",
            ],
            &["sns:@:{TopicName}*"],
        )],
    ),
    ("LambdaInvokePolicy", &[(&["lambda:InvokeFunction"], &["lambda:@:function:{FunctionName}*"])]),
    (
        "SSMParameterReadPolicy",
        &[(&["ssm:DescribeParameters"], ANY), (READ_PARAMETERS, &["ssm:@:parameter/{ParameterName}"])],
    ),
    (
        "SSMParameterWithSlashPrefixReadPolicy",
        &[(&["ssm:DescribeParameters"], ANY), (READ_PARAMETERS, &["ssm:@:parameter{ParameterName}"])],
    ),
    ("AWSSecretsManagerGetSecretValuePolicy", &[(&["secretsmanager:GetSecretValue"], &["{SecretArn}"])]),
    ("KMSDecryptPolicy", &[(&["kms:Decrypt"], KEY)]),
    ("KMSEncryptPolicy", &[(&["kms:Encrypt"], KEY)]),
    (
        "VPCAccessPolicy",
        &[(
            &[
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DetachNetworkInterface",
            ],
            ANY,
        )],
    ),
    ("StepFunctionsExecutionPolicy", &[(&["states:StartExecution"], &["states:@:stateMachine:{StateMachineName}"])]),
    ("CloudWatchPutMetricPolicy", &[(&["cloudwatch:PutMetricData"], ANY)]),
    ("CloudWatchDescribeAlarmHistoryPolicy", &[(&["cloudwatch:DescribeAlarmHistory"], ANY)]),
    ("EventBridgePutEventsPolicy", &[(&["events:PutEvents"], &["events:@:event-bus/{EventBusName}"])]),
    (
        "KinesisStreamReadPolicy",
        &[
            (&["kinesis:ListStreams", "kinesis:DescribeLimits"], &["kinesis:@:stream/*"]),
            (
                &[
                    "kinesis:DescribeStream",
                    "kinesis:DescribeStreamSummary",
                    "kinesis:GetRecords",
                    "kinesis:GetShardIterator",
                ],
                STREAM,
            ),
        ],
    ),
    (
        "FirehoseWritePolicy",
        &[(&["firehose:PutRecord", "firehose:PutRecordBatch"], &["firehose:@:deliverystream/{DeliveryStreamName}"])],
    ),
    (
        "SESCrudPolicy",
        &[(
            &["ses:GetIdentityVerificationAttributes", "ses:SendEmail", "ses:SendRawEmail", "ses:VerifyEmailIdentity"],
            IDENTITY,
        )],
    ),
    ("SESSendBouncePolicy", &[(&["ses:SendBounce"], IDENTITY)]),
];
